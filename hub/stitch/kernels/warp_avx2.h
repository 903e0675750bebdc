/* The variant for AVX2: places, light and blend by the compiler; pixels are read row by row. Eight neighbours come from
   a short run of a few rows, so these rows are loaded and their bytes shuffled, where gathers would fetch each pixel
   for itself. */

#define AVX2_TARGET __attribute__((target("avx2")))

/* Lowest and highest of 8 words. */
AVX2_TARGET static inline int lowest(__m128i words) { return _mm_extract_epi16(_mm_minpos_epu16(words), 0); }

AVX2_TARGET static inline int highest(__m128i words) {
    return 0xffff ^ lowest(_mm_xor_si128(words, _mm_set1_epi16(-1)));
}

/* Reads 16 pixels, of two rows of a block, whose origins are at `a` and `b`. */
AVX2_TARGET static inline __m256i
read_two_rows(const uint8_t *a, const uint8_t *b, ptrdiff_t stride, const int16_t *at_x, const int16_t *at_y) {
    const __m256i x = _mm256_loadu_si256((const __m256i *)at_x), y = _mm256_loadu_si256((const __m256i *)at_y);
    const __m256i byte = _mm256_srli_epi16(x, 10), line = _mm256_srli_epi16(y, 10);
    const __m128i line_a = _mm256_castsi256_si128(line), line_b = _mm256_extracti128_si256(line, 1);
    const int from_a = lowest(line_a), from_b = lowest(line_b);
    const int span_a = highest(line_a) - from_a, span_b = highest(line_b) - from_b;
    const int last = (span_a > span_b ? span_a : span_b) + 1;
    const __m256i row = _mm256_sub_epi16(
        line, _mm256_set_m128i(_mm_set1_epi16((short)from_b), _mm_set1_epi16((short)from_a))
    );
    /* The two neighbours of each pixel, side by side. */
    const __m256i pair = _mm256_add_epi8(
        _mm256_or_si256(byte, _mm256_slli_epi16(byte, 8)), _mm256_set1_epi16(0x0100)
    );
    a += from_a * stride;
    b += from_b * stride;
    __m256i above = _mm256_setzero_si256(), below = above, wanted = above;
    __m256i before = _mm256_set1_epi16(-1);
    const __m256i one = _mm256_set1_epi16(1);
    for (int r = 0; r <= last; r++) {
        const __m256i pixels =
            _mm256_set_m128i(_mm_loadu_si128((const __m128i *)b), _mm_loadu_si128((const __m128i *)a));
        const __m256i read = _mm256_shuffle_epi8(pixels, pair);
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

#define OWN_READ
#define VARIANT(name) name##_avx2
#define TARGET AVX2_TARGET
#define read_block(spots, source, value)                                                                       \
    for (int j = 0; j < BLOCK; j += 2)                                                                         \
        _mm256_storeu_si256(                                                                                   \
            (__m256i *)((value) + j * BLOCK),                                                                  \
            read_two_rows(                                                                                     \
                (source)->pixels + (spots)->origin[j], (source)->pixels + (spots)->origin[j + 1],              \
                (source)->stride, (spots)->x + j * BLOCK, (spots)->y + j * BLOCK                               \
            )                                                                                                  \
        )
#include "blocks.h"

static const Code AVX2_CODE = {any_luma_avx2, any_chroma_avx2, NULL, NULL};
