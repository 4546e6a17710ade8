// The product of kernels.cpp on processors that multiply tiles of bfloat16 (AMX).

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "product.h"

// A tile is TILE rows of 64 bytes.
struct alignas(64) TileShapes {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t bytes[16] = {};
    std::uint8_t rows[16] = {};
};

// While one lives, its thread's tiles have their shape.
struct Multiplying {
    Multiplying() {
        TileShapes shapes;
        for (int tile = 0; tile < 8; ++tile) {
            shapes.bytes[tile] = 64;
            shapes.rows[tile] = TILE;
        }
        _tile_loadconfig(&shapes);
    }
    ~Multiplying() { _tile_release(); }
};

// Linux grants the tiles on request.
static bool may_multiply() {
    constexpr int request_permission = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

template <bool ADD>
static void product(const Half* a, const Half* b, float* out, int n, int k) {
    for (int column = 0; column < n; column += 2 * TILE) {
        const Half* left = b + static_cast<std::size_t>(column) * k;
        const Half* right = left + static_cast<std::size_t>(TILE) * k;
        float* upper = out + column;
        float* lower = upper + static_cast<std::size_t>(TILE) * n;
        if (ADD) {
            _tile_loadd(0, upper, n * sizeof(float));
            _tile_loadd(1, upper + TILE, n * sizeof(float));
            _tile_loadd(2, lower, n * sizeof(float));
            _tile_loadd(3, lower + TILE, n * sizeof(float));
        } else {
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
        }
        for (int depth = 0; depth < k; depth += DEPTH) {
            _tile_loadd(4, a + depth, k * sizeof(Half));
            _tile_loadd(5, a + static_cast<std::size_t>(TILE) * k + depth, k * sizeof(Half));
            _tile_loadd(6, left + TILE * depth, 64);
            _tile_loadd(7, right + TILE * depth, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
        _tile_stored(0, upper, n * sizeof(float));
        _tile_stored(1, upper + TILE, n * sizeof(float));
        _tile_stored(2, lower, n * sizeof(float));
        _tile_stored(3, lower + TILE, n * sizeof(float));
    }
}
