// SPDX-License-Identifier: Apache-2.0
//
// Memory of C++: libstdc++ takes it from malloc().
#include <cstddef>

extern "C" void *cpp_new(size_t size) {
    return new char[size];
}

extern "C" void cpp_delete(void *array) {
    delete[] static_cast<char *>(array);
}
