// Numbers, and the functions of one number that gates and losses are made of.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <new>

#include "product.h"

static inline float wide(Half value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

static inline Half half(float value) {  // to the nearest, ties to even
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return static_cast<Half>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// 2^n by the exponent's bits, and 2^f for |f| <= 1/2 by its Taylor series: 2e-7 off at most.
static inline float exponential(float x) {
    const float y = std::min(std::max(x, -87.0f), 88.0f) * 1.44269504f;
    const float n = std::nearbyint(y);
    const float f = (y - n) * 0.693147181f;
    const float series =
        1 + f * (1 + f * (1 / 2.f + f * (1 / 6.f + f * (1 / 24.f + f * (1 / 120.f + f / 720.f)))));
    const auto scale = static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23;
    return series * std::bit_cast<float>(scale);
}

static inline float sigmoid(float x) { return 1 / (1 + exponential(-x)); }
static inline float tanh_of(float x) { return 2 / (1 + exponential(-2 * x)) - 1; }

// Aligned, so that no row of a tile lies in two lines of the cache.
template <class T>
struct Buffer {
    explicit Buffer(std::size_t n) : held(new (std::align_val_t{64}) T[n]{}) {}
    ~Buffer() { operator delete[](held, std::align_val_t{64}); }
    Buffer(const Buffer&) = delete;
    T* data() { return held; }
    T* held;
};
