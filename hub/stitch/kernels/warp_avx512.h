/* The variant for AVX-512 with VBMI. A block of 8 x 8 pixels comes from a patch of hardly more pixels, so the patch is
   held in registers, 16 bytes of up to 16 rows, and looked up there: one permutation finds a neighbour for 32 pixels,
   where a gather would fetch them one by one. */

#define AVX512_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx2")))
#define INLINE_512 AVX512_TARGET static inline __attribute__((always_inline))

/* The first vector of a block holds its rows 0 to 3, the second 7 to 4: each of their parts of 16 bytes is a row. */
/* Where the row of each part begins, among four of 32 bytes. */
#define SIXTEEN(n) n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n
static const uint8_t OWN_32[64] ALIGNED = {SIXTEEN(0), SIXTEEN(32), SIXTEEN(64), SIXTEEN(96)};

typedef struct {
    __m512i across, down, twist;
} Frame;

INLINE_512 Frame frame(void) {
    return (Frame){_mm512_load_si512(ACROSS), _mm512_load_si512(DOWN), _mm512_load_si512(TWIST)};
}

INLINE_512 __m512i spread_word(__m256i cell, int nth) {
    return _mm512_permutexvar_epi16(_mm512_set1_epi16((short)nth), _mm512_castsi256_si512(cell));
}

/* The same as `spread`, for both vectors of a block. */
INLINE_512 void
spread_places(const Frame *f, __m256i cell, int nth, __m512i out[2]) {
    const __m512i across =
        _mm512_add_epi16(spread_word(cell, nth), _mm512_mulhrs_epi16(spread_word(cell, nth + 1), f->across));
    const __m512i down = _mm512_add_epi16(
        _mm512_mulhrs_epi16(spread_word(cell, nth + 2), f->down), _mm512_mulhrs_epi16(spread_word(cell, nth + 3), f->twist)
    );
    out[0] = _mm512_add_epi16(across, down);
    out[1] = _mm512_sub_epi16(across, down);
}

/* Where 32 pixels lie in a patch of rows of 16 bytes, and the weights of their neighbours. */
typedef struct {
    __m512i pair, weight, low, high;
} Places;

INLINE_512 Places places_of(__m512i x, __m512i y) {
    /* From each word of x bits 10 to 13 twice, of y bits 10 to 13 above them; then bits 2 to 9 of x twice. */
    const __m512i bit = _mm512_set1_epi64(0x3030202010100000);
    const __m512i line = _mm512_multishift_epi64_epi8(_mm512_add_epi8(bit, _mm512_set1_epi8(6)), y);
    const __m512i byte = _mm512_multishift_epi64_epi8(_mm512_add_epi8(bit, _mm512_set1_epi8(10)), x);
    const __m512i part = _mm512_multishift_epi64_epi8(_mm512_add_epi8(bit, _mm512_set1_epi8(2)), x);
    const __m512i at = _mm512_ternarylogic_epi32(_mm512_set1_epi8((char)0xf0), line, byte, 0xca);
    Places p;
    p.pair = _mm512_add_epi8(at, _mm512_set1_epi16(0x0100));
    p.weight = _mm512_xor_si512(part, _mm512_set1_epi16(255));
    p.low = _mm512_and_si512(_mm512_slli_epi16(y, 5), _mm512_set1_epi16(0x7fff));
    p.high = _mm512_xor_si512(p.low, _mm512_set1_epi16(0x7fff));
    return p;
}

INLINE_512 __m512i
bilinear(const Places *p, __m512i above, __m512i below) {
    return _mm512_add_epi16(
        _mm512_mulhrs_epi16(_mm512_maddubs_epi16(p->weight, above), p->high),
        _mm512_mulhrs_epi16(_mm512_maddubs_epi16(p->weight, below), p->low)
    );
}

/* Four times 16 bytes. */
INLINE_512 __m512i four_of_16(const uint8_t *const p[4]) {
    __m512i rows = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)p[0]));
    rows = _mm512_mask_broadcast_i32x4(rows, 0x00f0, _mm_loadu_si128((const __m128i *)p[1]));
    rows = _mm512_mask_broadcast_i32x4(rows, 0x0f00, _mm_loadu_si128((const __m128i *)p[2]));
    return _mm512_mask_broadcast_i32x4(rows, 0xf000, _mm_loadu_si128((const __m128i *)p[3]));
}

INLINE_512 __m512i four_apart(const uint8_t *p, ptrdiff_t step) {
    const uint8_t *const rows[4] = {p, p + step, p + 2 * step, p + 3 * step};
    return four_of_16(rows);
}

/* Four rows of 16 bytes, as signed numbers about 128. */
INLINE_512 __m512i four_rows(const uint8_t *p, ptrdiff_t stride) {
    return _mm512_xor_si512(four_apart(p, stride), _mm512_set1_epi8(-128));
}

INLINE_512 __m512i
looked_up(const Places *p, __m512i first, __m512i second) {
    const __m512i below = _mm512_add_epi8(p->pair, _mm512_set1_epi8(16));
    return bilinear(
        p, _mm512_permutex2var_epi8(first, p->pair, second), _mm512_permutex2var_epi8(first, below, second)
    );
}

INLINE_512 __m512i
looked_up_in_all(const Places *p, const __m512i rows[4]) {
    const __m512i at = p->pair, under = _mm512_add_epi8(at, _mm512_set1_epi8(16));
    const __m512i above = _mm512_mask_mov_epi8(
        _mm512_permutex2var_epi8(rows[0], at, rows[1]), _mm512_movepi8_mask(at),
        _mm512_permutex2var_epi8(rows[2], at, rows[3])
    );
    const __m512i below = _mm512_mask_mov_epi8(
        _mm512_permutex2var_epi8(rows[0], under, rows[1]), _mm512_movepi8_mask(under),
        _mm512_permutex2var_epi8(rows[2], under, rows[3])
    );
    return bilinear(p, above, below);
}

/* Both vectors of a block read from its patch. With two tables the lower half of the block lies below the fourth row. */
INLINE_512 void
read_patch(int kind, const uint8_t *p, ptrdiff_t stride, const Places at[2], __m512i out[2]) {
    __m512i rows[4];
    rows[0] = four_rows(p, stride);
    rows[1] = four_rows(p + 4 * stride, stride);
    if (kind == ONE_TABLE) {
        out[0] = looked_up(&at[0], rows[0], rows[1]);
        out[1] = looked_up(&at[1], rows[0], rows[1]);
        return;
    }
    rows[2] = four_rows(p + 8 * stride, stride);
    if (kind == TWO_TABLES) {
        Places lower = at[1];
        lower.pair = _mm512_sub_epi8(lower.pair, _mm512_set1_epi8(64));
        out[0] = looked_up(&at[0], rows[0], rows[1]);
        out[1] = looked_up(&lower, rows[1], rows[2]);
        return;
    }
    rows[3] = four_rows(p + 12 * stride, stride);
    out[0] = looked_up_in_all(&at[0], rows);
    out[1] = looked_up_in_all(&at[1], rows);
}

INLINE_512 void
store_block(__m512i bytes, uint8_t *out, ptrdiff_t stride) {
    const __m128i part[4] = {
        _mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1), _mm512_extracti32x4_epi32(bytes, 2),
        _mm512_extracti32x4_epi32(bytes, 3)
    };
    for (int j = 0; j < 4; j++) {
        _mm_storel_epi64((__m128i *)(out + j * stride), part[j]);
        _mm_storeh_pd((double *)(out + (7 - j) * stride), _mm_castsi128_pd(part[j]));
    }
}

AVX512_TARGET static void
luma_run_avx512(const Task *t, const Camera *c, const int16_t *cell, int row, int column, int count) {
    const Source *s = &c->planes[0];
    const ptrdiff_t stride = t->planes[0].stride;
    uint8_t *out = t->planes[0].pixels + row * stride + column * BLOCK;
    const Frame f = frame();
    const __m512i to_bytes = _mm512_set1_epi16(514);
    for (; count--; cell += CELL_WORDS, out += BLOCK) {
        __m256i words = _mm256_loadu_si256((const __m256i *)cell);
        words = _mm256_mask_mulhrs_epi16(words, 7 << GAIN, words, _mm256_set1_epi16(c->light_word));
        __m512i x[2], y[2], lit[2];
        spread_places(&f, words, PLACE_X, x);
        spread_places(&f, words, PLACE_Y, y);
        const Places at[2] = {places_of(x[0], y[0]), places_of(x[1], y[1])};
        read_patch(cell[CELL_KIND], s->pixels + cell[CELL_Y] * s->stride + cell[CELL_X], s->stride, at, lit);
        const __m512i across = _mm512_add_epi16(
            spread_word(words, GAIN), _mm512_mulhrs_epi16(spread_word(words, GAIN + 1), f.across)
        );
        const __m512i down = _mm512_mulhrs_epi16(spread_word(words, GAIN + 2), f.down);
        for (int k = 0; k < 2; k++) {
            const __m512i gain = k ? _mm512_sub_epi16(across, down) : _mm512_add_epi16(across, down);
            const __m512i from =
                _mm512_adds_epi16(_mm512_mulhrs_epi16(gain, _mm512_set1_epi16(28560)), _mm512_set1_epi16(1020));
            lit[k] = _mm512_adds_epi16(_mm512_mulhrs_epi16(lit[k], gain), from);
            lit[k] = _mm512_mulhrs_epi16(lit[k], to_bytes);
        }
        store_block(_mm512_packus_epi16(lit[0], lit[1]), out, stride);
    }
}

AVX512_TARGET static void
chroma_run_avx512(const Task *t, const Camera *c, const int16_t *cell, int row, int column, int count) {
    const ptrdiff_t stride = t->planes[0].stride;
    const uint8_t *luma = t->planes[0].pixels + 2 * row * stride + 2 * column * BLOCK;
    const Frame f = frame();
    const __m512i to_bytes = _mm512_set1_epi16(514), ones = _mm512_set1_epi8(1);
    for (; count--; cell += CELL_WORDS, luma += 2 * BLOCK, column++) {
        const __m256i words = _mm256_loadu_si256((const __m256i *)cell);
        __m512i x[2], y[2], value[2][2], above[2];
        spread_places(&f, words, PLACE_X, x);
        spread_places(&f, words, PLACE_Y, y);
        const Places at[2] = {places_of(x[0], y[0]), places_of(x[1], y[1])};
        for (int half = 0; half < 2; half++) {
            const Source *s = &c->planes[1 + half];
            read_patch(cell[CELL_KIND], s->pixels + cell[CELL_Y] * s->stride + cell[CELL_X], s->stride, at, value[half]);
        }
        if (t->coupled)
            for (int k = 0; k < 2; k++) {
                const uint8_t *even = luma + (k ? 14 : 0) * stride;
                const ptrdiff_t step = k ? -2 * stride : 2 * stride;
                const __m512i sum = _mm512_add_epi16(
                    _mm512_maddubs_epi16(four_apart(even, step), ones),
                    _mm512_maddubs_epi16(four_apart(even + stride, step), ones)
                );
                above[k] = _mm512_slli_epi16(_mm512_sub_epi16(sum, _mm512_set1_epi16(64)), 5);
            }
        for (int half = 0; half < 2; half++) {
            const int16_t *w = c->tint_words[half];
            __m512i lit[2];
            for (int k = 0; k < 2; k++) {
                lit[k] = _mm512_adds_epi16(
                    _mm512_mulhrs_epi16(value[0][k], _mm512_set1_epi16(w[1])),
                    _mm512_mulhrs_epi16(value[1][k], _mm512_set1_epi16(w[2]))
                );
                if (t->coupled)
                    lit[k] = _mm512_adds_epi16(lit[k], _mm512_mulhrs_epi16(above[k], _mm512_set1_epi16(w[0])));
                lit[k] = _mm512_mulhrs_epi16(lit[k], to_bytes);
            }
            const Target *to = &t->planes[1 + half];
            store_block(
                _mm512_xor_si512(_mm512_packs_epi16(lit[0], lit[1]), _mm512_set1_epi8(-128)),
                to->pixels + row * to->stride + column * BLOCK, to->stride
            );
        }
    }
}

INLINE_512 __m512i two_of_32(const uint8_t *a, const uint8_t *b) {
    const __m512i rows = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)a));
    return _mm512_inserti64x4(rows, _mm256_loadu_si256((const __m256i *)b), 1);
}

/* Reads 32 pixels, of four rows of a block, each from 16 or 32 columns at its own origin: see `read_two_rows`. */
INLINE_512 __m512i read_four_rows(
    int wide, const uint8_t *pixels, const ptrdiff_t *origin, ptrdiff_t stride, const int16_t *at_x, const int16_t *at_y
) {
    const __m512i x = _mm512_loadu_si512(at_x), y = _mm512_loadu_si512(at_y), line = _mm512_srli_epi16(y, 10);
    const __m512i bit = _mm512_set1_epi64(0x3030202010100000);
    const __m512i byte = _mm512_multishift_epi64_epi8(_mm512_add_epi8(bit, _mm512_set1_epi8(10)), x);
    const __m512i part = _mm512_multishift_epi64_epi8(_mm512_add_epi8(bit, _mm512_set1_epi8(2)), x);
    __m512i pair = _mm512_add_epi8(_mm512_and_si512(byte, _mm512_set1_epi8(31)), _mm512_set1_epi16(0x0100));
    if (wide) pair = _mm512_add_epi8(pair, _mm512_load_si512(OWN_32));
    /* Along a row lines only rise or only fall. */
    const uint8_t *p[4], *end[4];
    __m512i from = _mm512_setzero_si512();
    int last = 0;
    for (int k = 0; k < 4; k++) {
        const int a = at_y[8 * k] >> 10, b = at_y[8 * k + 7] >> 10, low = a < b ? a : b, span = a < b ? b - a : a - b;
        p[k] = pixels + origin[k] + low * stride;
        end[k] = p[k] + (span + 1) * stride;
        last = span > last ? span : last;
        from = _mm512_mask_set1_epi16(from, 0xffu << (8 * k), (short)low);
    }
    const __m512i row = _mm512_sub_epi16(line, from);
    __m512i above = _mm512_setzero_si512(), below = above, wanted = above, before = _mm512_set1_epi16(-1);
    for (int r = 0; r <= last + 1; r++) {
        const __m512i read = wide ? _mm512_permutex2var_epi8(two_of_32(p[0], p[1]), pair, two_of_32(p[2], p[3]))
                                  : _mm512_shuffle_epi8(four_of_16(p), pair);
        above = _mm512_mask_mov_epi16(above, _mm512_cmpeq_epi16_mask(row, wanted), read);
        below = _mm512_mask_mov_epi16(below, _mm512_cmpeq_epi16_mask(row, before), read);
        before = wanted;
        wanted = _mm512_add_epi16(wanted, _mm512_set1_epi16(1));
        /* No further than the row needs: the picture may end there. */
        for (int k = 0; k < 4; k++) p[k] += p[k] < end[k] ? stride : 0;
    }
    Places at;
    at.weight = _mm512_xor_si512(part, _mm512_set1_epi16(255));
    at.low = _mm512_and_si512(_mm512_slli_epi16(y, 5), _mm512_set1_epi16(0x7fff));
    at.high = _mm512_xor_si512(at.low, _mm512_set1_epi16(0x7fff));
    const __m512i flip = _mm512_set1_epi8(-128);
    return bilinear(&at, _mm512_xor_si512(above, flip), _mm512_xor_si512(below, flip));
}

AVX512_TARGET static inline __m512i four_rows_word(const int16_t *rows, int nth) {
    return _mm512_shuffle_epi8(_mm512_loadu_si512(rows), _mm512_set1_epi16((short)(0x0100 + 0x0202 * nth)));
}

AVX512_TARGET static inline void store_bytes_avx512(uint8_t *to, __m512i words) {
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtusepi16_epi8(_mm512_max_epi16(words, _mm512_setzero_si512())));
}

#define VARIANT(name) name##_avx512
#define TARGET AVX512_TARGET
#define vec __m512i
#define LANES 32
#define load(from) _mm512_loadu_si512(from)
#define store(to, value) _mm512_storeu_si512(to, value)
#define all(word) _mm512_set1_epi16(word)
#define plus _mm512_add_epi16
#define minus _mm512_sub_epi16
#define plus_sat _mm512_adds_epi16
#define rounded _mm512_mulhrs_epi16
#define rows_word four_rows_word
#define store_bytes store_bytes_avx512
#include "blocks.h"

AVX512_TARGET static void read_block_avx512(const Spots_avx512 *spots, const Source *s, int16_t *value) {
    for (int k = 0; k < PIXELS; k += 32) {
        const ptrdiff_t *origin = spots->origin + k / BLOCK;
        const __m512i read = spots->wide ? read_four_rows(1, s->pixels, origin, s->stride, spots->x + k, spots->y + k)
                                         : read_four_rows(0, s->pixels, origin, s->stride, spots->x + k, spots->y + k);
        _mm512_storeu_si512(value + k, read);
    }
}

static const Code AVX512_CODE = {any_luma_avx512, any_chroma_avx512, luma_run_avx512, chroma_run_avx512};
