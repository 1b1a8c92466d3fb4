// SPDX-License-Identifier: Apache-2.0
//
// Memory of C++: libstdc++ takes it from malloc().
#include <cstddef>
#include <new>

extern "C" void *cpp_new(size_t size) {
    try {
        return new char[size];
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

extern "C" void cpp_delete(void *array) {
    delete[] static_cast<char *>(array);
}
