/* SPDX-License-Identifier: Apache-2.0 */
/* What only C++ has: scopes, templates, references, nullptr, enum classes. */
#include <cstdint>

extern "C" {
#include "usdt.h"
}

enum class small : std::uint8_t { a, b };
enum class wide { a = -1, b };

namespace outer {
USDT_DEFINE_SEMA(own_sema);
}

namespace {
volatile int number = 3;

struct widget {
    int member = number;
    bool poke() const {
        USDT_WITH_SEMA(scopes, method, this, member);
        return USDT_IS_ACTIVE(scopes, method);
    }
};

template <class T> T pass(T value) {
    USDT_WITH_SEMA(scopes, templated, value);
    return USDT_IS_ACTIVE(scopes, templated) ? T() : value;
}
} // namespace

int main(int argc, char **argv) {
    int &reference = argc;
    auto lambda = [&](small s, wide w) {
        USDT(scopes, lambda, s, w, reference, nullptr);
        return USDT_IS_ACTIVE(scopes, lambda);
    };

    USDT_WITH_EXPLICIT_SEMA(own_sema, scopes, explicit_, small::b, wide::b);
    pass(static_cast<short>(number));
    pass(static_cast<unsigned long>(number));
    pass(argv);
    return widget().poke() || lambda(small::b, wide::a) || USDT_SEMA_IS_ACTIVE(outer::own_sema);
}
