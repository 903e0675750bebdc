#include "warp.h"

#include <string.h>

#include "edges.h"

/* What a variant brings: any block, and runs of whole blocks from one camera whose cells are of the kinds that tables
   serve; the latter may be missing. */
typedef struct {
    void (*any_luma)(const Task *, int row, int column, int first, int rows, int columns);
    void (*any_chroma)(const Task *, int row, int column, int first, int rows, int columns);
    void (*luma_run)(const Task *, const Camera *, const int16_t *cell, int row, int column, int count);
    void (*chroma_run)(const Task *, const Camera *, const int16_t *cell, int row, int column, int count);
} Code;

#define VARIANT(name) name##_plain
#define TARGET
#define vec int16_t
#define LANES 1
#define load(from) (*(from))
#define store(to, value) (*(to) = (value))
#define all(word) ((int16_t)(word))
#define plus(a, b) ((int16_t)((a) + (b)))
#define minus(a, b) ((int16_t)((a) - (b)))
#define plus_sat saturated_sum
#define rounded rounded_word
#define rows_word(rows, nth) ((rows)[nth])
#define store_bytes(to, value) (*(to) = (uint8_t)((value) < 0 ? 0 : (value) > 255 ? 255 : (value)))
#include "blocks.h"

static void read_block_plain(const Spots_plain *spots, const Source *s, int16_t *value) {
    for (int k = 0; k < PIXELS; k++) {
        const int x = spots->x[k], y = spots->y[k];
        const uint8_t *p = s->pixels + spots->origin[k / BLOCK] + (y >> 10) * s->stride + (x >> 10), *q = p + s->stride;
        const int right = (x >> 2) & 255, left = 255 - right, low = (y & 1023) << 5;
        const int above = left * (p[0] - 128) + right * (p[1] - 128);
        const int below = left * (q[0] - 128) + right * (q[1] - 128);
        value[k] = (int16_t)(rounded_word((int16_t)above, (int16_t)(32767 - low)) + rounded_word((int16_t)below, (int16_t)low));
    }
}

static const Code PLAIN_CODE = {any_luma_plain, any_chroma_plain, NULL, NULL};

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include "warp_avx2.h"
#include "warp_avx512.h"
static const Code *const CODE[VARIANTS] = {&PLAIN_CODE, &AVX2_CODE, &AVX512_CODE};
#else
static const Code *const CODE[VARIANTS] = {&PLAIN_CODE, NULL, NULL};
#endif

static int can_run(int variant) {
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (variant == AVX2) return __builtin_cpu_supports("avx2");
    if (variant == AVX512)
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vbmi");
#endif
    return variant == PLAIN;
}

/* The camera that a block begins with: the last one whose share is 1 all over it. `mixed` says whether others follow. */
static inline int first_camera(const Seam *seams, int cameras, int row, int column, int *mixed) {
    const float left = column * BLOCK + 0.5f, right = left + BLOCK - 1;
    int first = 0;
    *mixed = 0;
    for (int k = 1; k < cameras; k++) {
        if (left >= seams[k - 1].high[row]) {
            first = k;
            *mixed = 0;
        } else if (right > seams[k - 1].low[row]) {
            *mixed = 1;
        }
    }
    return first;
}

/* Rows and columns of blocks of one tile, in one plane. */
static void tile(const Task *t, const Code *code, int chroma, int top, int bottom, int left, int right) {
    const int width = chroma ? t->width / 2 : t->width, height = chroma ? t->height / 2 : t->height;
    const Seam *seams = chroma ? t->chroma_seams : t->luma_seams;
    void (*const any)(const Task *, int, int, int, int, int) = chroma ? code->any_chroma : code->any_luma;
    void (*const run)(const Task *, const Camera *, const int16_t *, int, int, int) =
        chroma ? code->chroma_run : code->luma_run;
    for (int row = top; row < bottom; row++) {
        const int rows = height - row * BLOCK < BLOCK ? height - row * BLOCK : BLOCK;
        for (int column = left; column < right;) {
            int mixed, other;
            const int first = first_camera(seams, t->cameras, row, column, &mixed);
            const Geometry *g = chroma ? &t->camera[first].chroma : &t->camera[first].luma;
            const int16_t *cell = cell_of(g, row, column);
            int count = 0;
            if (run && !mixed && rows == BLOCK)
                while (column + count < right && (column + count + 1) * BLOCK <= width &&
                       cell[count * CELL_WORDS + CELL_KIND] >= ONE_TABLE &&
                       first_camera(seams, t->cameras, row, column + count, &other) == first && !other)
                    count++;
            if (count) {
                run(t, &t->camera[first], cell, row * BLOCK, column, count);
                column += count;
            } else {
                const int columns = width - column * BLOCK < BLOCK ? width - column * BLOCK : BLOCK;
                any(t, row * BLOCK, column++, first, rows, columns);
            }
        }
    }
}

static inline int least(int a, int b) { return a < b ? a : b; }

static void stitch_part(const Task *t, int variant, int top, int bottom, int left, int right) {
    const Code *code = CODE[variant];
    /* A tile's pictures and luma are still near when its chroma is made. */
    for (int row = top; row < bottom; row += TILE_ROWS)
        for (int column = left; column < right; column += TILE_COLUMNS) {
            const int low = least(row + TILE_ROWS, bottom), end = least(column + TILE_COLUMNS, right);
            tile(t, code, 0, row / BLOCK, (low + BLOCK - 1) / BLOCK, column / BLOCK, (end + BLOCK - 1) / BLOCK);
            tile(
                t, code, 1, row / (2 * BLOCK), (low / 2 + BLOCK - 1) / BLOCK, column / (2 * BLOCK),
                (end / 2 + BLOCK - 1) / BLOCK
            );
        }
}
