/* The variant for 64-bit ARM: as AVX2, in vectors of one row of a block. */

#include <arm_neon.h>

/* Reads 8 pixels, one row of a block, from 16 or 32 columns at its origin. */
static inline __attribute__((always_inline)) int16x8_t
read_one_row(int wide, const uint8_t *p, ptrdiff_t stride, const int16_t *at_x, const int16_t *at_y) {
    const uint16x8_t x = vreinterpretq_u16_s16(vld1q_s16(at_x)), byte = vshrq_n_u16(x, 10);
    const int16x8_t y = vld1q_s16(at_y);
    /* Along a row lines only rise or only fall. */
    const int first = at_y[0] >> 10, last = at_y[7] >> 10, from = first < last ? first : last;
    const int span = first + last - 2 * from;
    const int16x8_t row = vsubq_s16(vshrq_n_s16(y, 10), vdupq_n_s16((int16_t)from));
    /* The two neighbours of each pixel, side by side. */
    const uint8x16_t pair =
        vreinterpretq_u8_u16(vaddq_u16(vorrq_u16(byte, vshlq_n_u16(byte, 8)), vdupq_n_u16(0x0100)));
    uint16x8_t above = vdupq_n_u16(0), below = above;
    p += from * stride;
    for (int r = 0; r <= span + 1; r++, p += stride) {
        const uint8x16_t near = vld1q_u8(p);
        const uint16x8_t read = vreinterpretq_u16_u8(
            wide ? vqtbl2q_u8((uint8x16x2_t){{near, vld1q_u8(p + 16)}}, pair) : vqtbl1q_u8(near, pair)
        );
        above = vbslq_u16(vceqq_s16(row, vdupq_n_s16((int16_t)r)), read, above);
        below = vbslq_u16(vceqq_s16(row, vdupq_n_s16((int16_t)(r - 1))), read, below);
    }
    const int16x8_t right = vreinterpretq_s16_u16(vandq_u16(vshrq_n_u16(x, 2), vdupq_n_u16(255)));
    const int16x8_t left = vsubq_s16(vdupq_n_s16(255), right), middle = vdupq_n_s16(128);
    const int16x8_t low = vshlq_n_s16(vandq_s16(y, vdupq_n_s16(1023)), 5), high = vsubq_s16(vdupq_n_s16(32767), low);
    int16x8_t value[2];
    for (int k = 0; k < 2; k++) {
        const uint16x8_t both = k ? below : above;
        const int16x8_t a = vsubq_s16(vreinterpretq_s16_u16(vandq_u16(both, vdupq_n_u16(255))), middle);
        const int16x8_t b = vsubq_s16(vreinterpretq_s16_u16(vshrq_n_u16(both, 8)), middle);
        value[k] = vmlaq_s16(vmulq_s16(a, left), b, right);
    }
    return vaddq_s16(vqrdmulhq_s16(value[0], high), vqrdmulhq_s16(value[1], low));
}

#define VARIANT(name) name##_neon
#define TARGET
#define vec int16x8_t
#define LANES 8
#define load(from) vld1q_s16(from)
#define store(to, value) vst1q_s16(to, value)
#define all(word) vdupq_n_s16(word)
#define plus vaddq_s16
#define minus vsubq_s16
#define plus_sat vqaddq_s16
#define rounded vqrdmulhq_s16
#define rows_word(rows, nth) vdupq_n_s16((rows)[nth])
#define store_bytes(to, value) vst1_u8(to, vqmovun_s16(value))
#include "blocks.h"

static void read_block_neon(const Spots_neon *spots, const Source *s, int16_t *value) {
    for (int k = 0; k < PIXELS; k += BLOCK) {
        const uint8_t *p = s->pixels + spots->origin[k / BLOCK];
        const int16x8_t read = spots->kind == WIDE_ROWS ? read_one_row(1, p, s->stride, spots->x + k, spots->y + k)
                                                        : read_one_row(0, p, s->stride, spots->x + k, spots->y + k);
        vst1q_s16(value + k, read);
    }
}

static const Code NEON_CODE = {any_luma_neon, any_chroma_neon, NULL, NULL};
