# SPDX-License-Identifier: Apache-2.0
"""The message classes of profile.proto (github.com/google/pprof, proto/profile.proto)."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def profile_proto():
    """The class of a whole profile."""
    fields = {
        "Profile": "sample_type:1:*ValueType sample:2:*Sample mapping:3:*Mapping"
        " location:4:*Location function:5:*Function string_table:6:*string drop_frames:7:int64"
        " keep_frames:8:int64 time_nanos:9:int64 duration_nanos:10:int64 period_type:11:ValueType"
        " period:12:int64 comment:13:*int64 default_sample_type:14:int64",
        "ValueType": "type:1:int64 unit:2:int64",
        "Sample": "location_id:1:*uint64 value:2:*int64 label:3:*Label",
        "Label": "key:1:int64 str:2:int64 num:3:int64 num_unit:4:int64",
        "Mapping": "id:1:uint64 memory_start:2:uint64 filename:5:int64",
        "Location": "id:1:uint64 mapping_id:2:uint64 address:3:uint64 line:4:*Line"
        " is_folded:5:bool",
        "Line": "function_id:1:uint64 line:2:int64 column:3:int64",
        "Function": "id:1:uint64 name:2:int64 system_name:3:int64 filename:4:int64"
        " start_line:5:int64",
    }
    kinds = {"int64": 3, "uint64": 4, "bool": 8, "string": 9}
    file = descriptor_pb2.FileDescriptorProto(
        name="profile.proto", package="perftools.profiles", syntax="proto3"
    )
    for message, text in fields.items():
        described = file.message_type.add(name=message)
        for entry in text.split():
            name, number, kind = entry.split(":")
            field = described.field.add(name=name, number=int(number))
            field.label = 3 if kind.startswith("*") else 1
            field.type = kinds.get(kind.strip("*"), 11)
            if field.type == 11:
                field.type_name = f".perftools.profiles.{kind.strip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("perftools.profiles.Profile")
    return message_factory.GetMessageClass(found)
