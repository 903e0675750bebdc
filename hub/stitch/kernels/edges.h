/* What blocks at the edge of a picture take: single pixels, read in floats straight from the grid. */

/* The order in which rows of a block are kept. */
static const int ROW_IN[BLOCK] = {0, 1, 2, 3, 7, 6, 5, 4};

/* Steps from the middle of a block, for its upper half: along x, along y, and both. */
#define STEPS(f, j) f(j, -7), f(j, -5), f(j, -3), f(j, -1), f(j, 1), f(j, 3), f(j, 5), f(j, 7)
#define HALF(f) {STEPS(f, -7), STEPS(f, -5), STEPS(f, -3), STEPS(f, -1)}
#define OF_COLUMN(j, i) ((i) * 4096)
#define OF_ROW(j, i) ((j) * 4096)
#define OF_BOTH(j, i) ((j) * (i) * 512)
#define ALIGNED __attribute__((aligned(64)))
static const int16_t ACROSS[PIXELS / 2] ALIGNED = HALF(OF_COLUMN);
static const int16_t DOWN[PIXELS / 2] ALIGNED = HALF(OF_ROW);
static const int16_t TWIST[PIXELS / 2] ALIGNED = HALF(OF_BOTH);

/* The product of two fractions of 15 bits. */
static inline int16_t rounded_word(int16_t a, int16_t b) { return (int16_t)(((a * b >> 14) + 1) >> 1); }

static inline int16_t saturated_sum(int16_t a, int16_t b) {
    const int sum = a + b;
    return (int16_t)(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum);
}

static inline const int16_t *cell_of(const Geometry *g, int row, int column) {
    return g->cells + ((ptrdiff_t)row * g->columns + column) * CELL_WORDS;
}

/* The rows of a block that has its own for each: the cell tells which. */
static inline const int16_t *rows_of(const Geometry *g, const int16_t *cell) {
    return g->rows + ((ptrdiff_t)cell[CELL_Y] * 32768 + cell[CELL_X]) * BLOCK * ROW_WORDS;
}

/* Values along a row of a cell: at its first pixel, and from pixel to pixel. */
typedef struct {
    float at, step;
} Line;

static inline Line line(const Geometry *g, const float *nodes, int row, int column) {
    const float *n = nodes + (ptrdiff_t)g->above[row] * (g->columns + 1) + column, down = g->down[row];
    const float left = n[0] + (n[g->columns + 1] - n[0]) * down;
    const float right = n[1] + (n[g->columns + 2] - n[1]) * down;
    const float step = (right - left) * (1.0f / BLOCK);
    return (Line){left + 0.5f * step, step};
}

/* A pixel read at a place that may lie beyond the plane: its outermost pixels go on for ever. */
static inline float read_anywhere(const Source *s, float x, float y) {
    const float right = (float)(s->width - 1), bottom = (float)(s->height - 1);
    x = x < 0 ? 0 : x > right ? right : x;
    y = y < 0 ? 0 : y > bottom ? bottom : y;
    const int a = (int)x, b = (int)y;
    const ptrdiff_t along = a < s->width - 1, down = b < s->height - 1 ? s->stride : 0;
    const uint8_t *p = s->pixels + b * s->stride + a;
    const float fx = x - (float)a, fy = y - (float)b;
    const float above = p[0] + fx * (p[along] - p[0]), below = p[down] + fx * (p[down + along] - p[down]);
    return above + fy * (below - above);
}

/* How much of a pixel that is read there lies within the plane. */
static inline float cover(const Source *s, float x, float y) {
    const float right = (float)(s->width - 1), bottom = (float)(s->height - 1);
    float across = x < 0 ? 1 + x : x > right ? 1 - (x - right) : 1;
    float along = y < 0 ? 1 + y : y > bottom ? 1 - (y - bottom) : 1;
    across = across < 0 ? 0 : across;
    along = along < 0 ? 0 : along;
    return across * along;
}

/* A lit value, in 63.75ths. */
static inline int16_t to_word(float value) {
    return (int16_t)(value > 511 ? 32577 : value < -511 ? -32577 : (int)(value * 63.75f + (value < 0 ? -0.5f : 0.5f)));
}

/* 128 times luma above black, averaged over the four pixels of each chroma pixel. */
static inline void light_above(const Target *luma, int row, int column, int rows, int columns, int16_t *above) {
    for (int s = 0; s < BLOCK; s++) {
        if (ROW_IN[s] >= rows) continue;
        const uint8_t *p = luma->pixels + 2 * (row + ROW_IN[s]) * luma->stride + 2 * column * BLOCK, *q = p + luma->stride;
        for (int i = 0; i < columns; i++)
            above[s * BLOCK + i] = (int16_t)((p[2 * i] + p[2 * i + 1] + q[2 * i] + q[2 * i + 1] - 64) * 32);
    }
}
