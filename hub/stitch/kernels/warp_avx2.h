/* The variant for AVX2. Eight neighbours come from a short run of a few rows, so these rows are loaded and their bytes
   shuffled, where gathers would fetch each pixel for itself. */

#define AVX2_TARGET __attribute__((target("avx2")))

AVX2_TARGET static inline __m256i two_of_16(const uint8_t *a, const uint8_t *b) {
    return _mm256_set_m128i(_mm_loadu_si128((const __m128i *)b), _mm_loadu_si128((const __m128i *)a));
}

/* Reads 16 pixels, of two rows of a block, whose origins are at `a` and `b`, from 16 or 32 columns. */
AVX2_TARGET static inline __attribute__((always_inline)) __m256i read_two_rows(
    int wide, const uint8_t *a, const uint8_t *b, ptrdiff_t stride, const int16_t *at_x, const int16_t *at_y
) {
    const __m256i x = _mm256_loadu_si256((const __m256i *)at_x), y = _mm256_loadu_si256((const __m256i *)at_y);
    const __m256i byte = _mm256_srli_epi16(x, 10), line = _mm256_srli_epi16(y, 10);
    /* Along a row lines only rise or only fall. */
    const int first_a = at_y[0] >> 10, last_a = at_y[7] >> 10, first_b = at_y[8] >> 10, last_b = at_y[15] >> 10;
    const int from_a = first_a < last_a ? first_a : last_a, from_b = first_b < last_b ? first_b : last_b;
    const int span_a = first_a + last_a - 2 * from_a, span_b = first_b + last_b - 2 * from_b;
    const int last = (span_a > span_b ? span_a : span_b) + 1;
    const __m256i row = _mm256_sub_epi16(
        line, _mm256_set_m128i(_mm_set1_epi16((short)from_b), _mm_set1_epi16((short)from_a))
    );
    /* The two neighbours of each pixel, side by side. */
    const __m256i pair = _mm256_add_epi8(
        _mm256_or_si256(byte, _mm256_slli_epi16(byte, 8)), _mm256_set1_epi16(0x0100)
    );
    const __m256i far = _mm256_cmpgt_epi8(pair, _mm256_set1_epi8(15));
    a += from_a * stride;
    b += from_b * stride;
    __m256i above = _mm256_setzero_si256(), below = above, wanted = above;
    __m256i before = _mm256_set1_epi16(-1);
    const __m256i one = _mm256_set1_epi16(1);
    for (int r = 0; r <= last; r++) {
        __m256i read = _mm256_shuffle_epi8(two_of_16(a, b), pair);
        if (wide) read = _mm256_blendv_epi8(read, _mm256_shuffle_epi8(two_of_16(a + 16, b + 16), pair), far);
        above = _mm256_blendv_epi8(above, read, _mm256_cmpeq_epi16(row, wanted));
        below = _mm256_blendv_epi8(below, read, _mm256_cmpeq_epi16(row, before));
        before = wanted;
        wanted = _mm256_add_epi16(wanted, one);
        /* No further than the row needs: the picture may end there. */
        a += r <= span_a ? stride : 0;
        b += r <= span_b ? stride : 0;
    }
    const __m256i flip = _mm256_set1_epi8(-128), part = _mm256_and_si256(_mm256_srli_epi16(x, 2), _mm256_set1_epi16(255));
    const __m256i weight = _mm256_or_si256(
        _mm256_slli_epi16(part, 8), _mm256_xor_si256(part, _mm256_set1_epi16(255))
    );
    const __m256i low = _mm256_slli_epi16(_mm256_and_si256(y, _mm256_set1_epi16(1023)), 5);
    return _mm256_add_epi16(
        _mm256_mulhrs_epi16(
            _mm256_maddubs_epi16(weight, _mm256_xor_si256(above, flip)), _mm256_sub_epi16(_mm256_set1_epi16(32767), low)
        ),
        _mm256_mulhrs_epi16(_mm256_maddubs_epi16(weight, _mm256_xor_si256(below, flip)), low)
    );
}

/* A word of each of two rows, over its half. */
AVX2_TARGET static inline __m256i two_rows_word(const int16_t *rows, int nth) {
    const __m256i both = _mm256_loadu_si256((const __m256i *)rows);
    return _mm256_shuffle_epi8(both, _mm256_set1_epi16((short)(0x0100 + 0x0202 * nth)));
}

AVX2_TARGET static inline void store_bytes_avx2(uint8_t *to, __m256i words) {
    const __m128i low = _mm256_castsi256_si128(words), high = _mm256_extracti128_si256(words, 1);
    _mm_storeu_si128((__m128i *)to, _mm_packus_epi16(low, high));
}

#define VARIANT(name) name##_avx2
#define TARGET AVX2_TARGET
#define vec __m256i
#define LANES 16
#define load(from) _mm256_loadu_si256((const __m256i *)(from))
#define store(to, value) _mm256_storeu_si256((__m256i *)(to), value)
#define all(word) _mm256_set1_epi16(word)
#define plus _mm256_add_epi16
#define minus _mm256_sub_epi16
#define plus_sat _mm256_adds_epi16
#define rounded _mm256_mulhrs_epi16
#define rows_word two_rows_word
#define store_bytes store_bytes_avx2
#include "blocks.h"

AVX2_TARGET static void read_block_avx2(const Spots_avx2 *spots, const Source *s, int16_t *value) {
    for (int k = 0; k < PIXELS; k += 16) {
        const ptrdiff_t *origin = spots->origin + k / BLOCK;
        const uint8_t *a = s->pixels + origin[0], *b = s->pixels + origin[1];
        const __m256i read = spots->wide ? read_two_rows(1, a, b, s->stride, spots->x + k, spots->y + k)
                                         : read_two_rows(0, a, b, s->stride, spots->x + k, spots->y + k);
        _mm256_storeu_si256((__m256i *)(value + k), read);
    }
}

static const Code AVX2_CODE = {any_luma_avx2, any_chroma_avx2, NULL, NULL};
