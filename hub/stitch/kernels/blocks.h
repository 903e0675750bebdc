/* Blocks in plain C: included once for each variant, with `VARIANT(name)` and `TARGET` set, for the compiler to make
   the best of it. What a variant does by hand it leaves out here (`OWN_READ`). */

/* A block's pixels in the camera's plane: places and, for each row, where its origin is. */
typedef struct {
    int16_t x[PIXELS], y[PIXELS];
    ptrdiff_t origin[BLOCK];
} VARIANT(Spots);
#define Spots VARIANT(Spots)

TARGET static inline int VARIANT(rounded)(int a, int b) { return (a * b + 0x4000) >> 15; }
#define rounded VARIANT(rounded)

TARGET static inline int VARIANT(saturated)(int a) { return a > 32767 ? 32767 : a < -32768 ? -32768 : a; }
#define saturated VARIANT(saturated)

/* Bilinear values of a block from the four words of a place. Rows 7 to 4 mirror rows 0 to 3. */
TARGET static inline void VARIANT(spread)(const int16_t *word, int16_t *out) {
    for (int j = 0; j < BLOCK / 2; j++)
        for (int i = 0; i < BLOCK; i++) {
            const int across = word[0] + rounded(word[1], (2 * i - 7) * 4096);
            const int down = rounded(word[2], (2 * j - 7) * 4096) + rounded(word[3], (2 * i - 7) * (2 * j - 7) * 512);
            out[j * BLOCK + i] = (int16_t)(across + down);
            out[(BLOCK - 1 - j) * BLOCK + i] = (int16_t)(across - down);
        }
}
#define spread VARIANT(spread)

/* The row's place at its left end and its step, in pixels of the plane, centres at whole numbers. */
TARGET static inline void VARIANT(ends)(const Geometry *g, const float *nodes, int row, int column, float *at, float *step) {
    const float *n = nodes + (ptrdiff_t)g->above[row] * (g->columns + 1) + column;
    const float down = g->down[row];
    const float left = n[0] + (n[g->columns + 1] - n[0]) * down;
    const float right = n[1] + (n[g->columns + 2] - n[1]) * down;
    *step = (right - left) * (1.0f / BLOCK);
    *at = left + 0.5f * *step;
}
#define ends VARIANT(ends)

TARGET static void VARIANT(locate)(
    const Geometry *g, const int16_t *cell, const Source *s, int row, int column, Spots *spots
) {
    if (cell[CELL_KIND] != ROW_BY_ROW) {
        spread(cell + PLACE_X, spots->x);
        spread(cell + PLACE_Y, spots->y);
        for (int j = 0; j < BLOCK; j++) spots->origin[j] = cell[CELL_Y] * s->stride + cell[CELL_X];
        return;
    }
    for (int j = 0; j < BLOCK; j++) {
        float x, y, dx, dy;
        ends(g, g->x, row + j, column, &x, &dx);
        ends(g, g->y, row + j, column, &y, &dy);
        x -= 0.5f;
        y -= 0.5f;
        const float last = x + 7 * dx, low = y + 7 * dy;
        int from_x = (int)(x < last ? x : last);
        const int from_y = (int)(y < low ? y : low);
        from_x = from_x > s->width - 16 ? s->width - 16 : from_x;
        spots->origin[j] = from_y * s->stride + from_x;
        x -= from_x;
        y -= from_y;
        for (int i = 0; i < BLOCK; i++) {
            spots->x[j * BLOCK + i] = (int16_t)((x + i * dx) * 1024 + 0.5f);
            spots->y[j * BLOCK + i] = (int16_t)((y + i * dy) * 1024 + 0.5f);
        }
    }
}
#define locate VARIANT(locate)

TARGET static void VARIANT(gains)(const Geometry *g, const int16_t *cell, int light, int row, int column, int16_t *gain) {
    int16_t word[4] = {0};
    if (cell[CELL_KIND] != ROW_BY_ROW) {
        for (int k = 0; k < 3; k++) word[k] = (int16_t)rounded(cell[GAIN + k], light);
        spread(word, gain);
        return;
    }
    for (int j = 0; j < BLOCK; j++) {
        float at, step;
        ends(g, g->gain, row + j, column, &at, &step);
        for (int i = 0; i < BLOCK; i++) gain[j * BLOCK + i] = (int16_t)((at + i * step) * (light * 0.5f) + 0.5f);
    }
}
#define gains VARIANT(gains)

#ifndef OWN_READ
TARGET static void VARIANT(read_block)(const Spots *spots, const Source *s, int16_t *value) {
    for (int k = 0; k < PIXELS; k++) {
        const int x = spots->x[k], y = spots->y[k];
        const uint8_t *p = s->pixels + spots->origin[k / BLOCK] + (y >> 10) * s->stride + (x >> 10), *q = p + s->stride;
        const int right = (x >> 2) & 255, left = 255 - right, low = (y & 1023) << 5;
        const int above = left * (p[0] - 128) + right * (p[1] - 128);
        const int below = left * (q[0] - 128) + right * (q[1] - 128);
        value[k] = (int16_t)(rounded(above, 32767 - low) + rounded(below, low));
    }
}
#define read_block VARIANT(read_block)
#endif

/* Luma lit, of a block inside the picture. */
TARGET static void VARIANT(lit_inside)(const Camera *c, const int16_t *cell, int row, int column, int16_t *lit) {
    Spots spots;
    int16_t gain[PIXELS], value[PIXELS];
    locate(&c->luma, cell, &c->planes[0], row, column, &spots);
    gains(&c->luma, cell, c->light_word, row, column, gain);
    read_block(&spots, &c->planes[0], value);
    for (int k = 0; k < PIXELS; k++) {
        /* 16 + (128 - 16) * gain, and what is above 128 times the gain. */
        const int from = saturated(rounded(gain[k], 28560) + 1020);
        lit[k] = (int16_t)saturated(rounded(value[k], gain[k]) + from);
    }
}
#define lit_inside VARIANT(lit_inside)

/* Chroma lit, of a block inside the picture; `above` is 128 times luma above black. */
TARGET static void VARIANT(tinted_inside)(
    const Camera *c, const int16_t *cell, int row, int column, const int16_t *above, int16_t *blue, int16_t *red
) {
    Spots spots;
    int16_t b[PIXELS], r[PIXELS];
    locate(&c->chroma, cell, &c->planes[1], row, column, &spots);
    read_block(&spots, &c->planes[1], b);
    if (c->planes[1].stride != c->planes[2].stride) locate(&c->chroma, cell, &c->planes[2], row, column, &spots);
    read_block(&spots, &c->planes[2], r);
    for (int half = 0; half < 2; half++) {
        const int16_t *w = c->tint_words[half];
        int16_t *out = half ? red : blue;
        for (int k = 0; k < PIXELS; k++)
            out[k] = (int16_t)saturated(
                saturated(rounded(b[k], w[1]) + rounded(r[k], w[2])) + rounded(above[k], w[0])
            );
    }
}
#define tinted_inside VARIANT(tinted_inside)

/* One pixel read at a place that may lie beyond the plane: its outermost pixels go on for ever. */
TARGET static inline float VARIANT(read_anywhere)(const Source *s, float x, float y) {
    const float right = (float)(s->width - 1), bottom = (float)(s->height - 1);
    x = x < 0 ? 0 : x > right ? right : x;
    y = y < 0 ? 0 : y > bottom ? bottom : y;
    const int a = (int)x, b = (int)y;
    const ptrdiff_t along = a < s->width - 1, down = b < s->height - 1 ? s->stride : 0;
    const uint8_t *p = s->pixels + b * s->stride + a;
    const float fx = x - a, fy = y - b;
    const float above = p[0] + fx * (p[along] - p[0]), below = p[down] + fx * (p[down + along] - p[down]);
    return above + fy * (below - above);
}
#define read_anywhere VARIANT(read_anywhere)

/* How much of a pixel that is read there lies within the plane. */
TARGET static inline float VARIANT(cover)(const Source *s, float x, float y) {
    const float right = (float)(s->width - 1), bottom = (float)(s->height - 1);
    float across = x < 0 ? 1 + x : x > right ? 1 - (x - right) : 1;
    float along = y < 0 ? 1 + y : y > bottom ? 1 - (y - bottom) : 1;
    across = across < 0 ? 0 : across;
    along = along < 0 ? 0 : along;
    return across * along;
}
#define cover VARIANT(cover)

TARGET static inline int16_t VARIANT(to_word)(float value) {
    return (int16_t)(value > 511 ? 32577 : value < -511 ? -32577 : (int)(value * 63.75f + (value < 0 ? -0.5f : 0.5f)));
}
#define to_word VARIANT(to_word)

TARGET static void VARIANT(lit_at_edge)(const Camera *c, int row, int column, int rows, int16_t *lit) {
    const Geometry *g = &c->luma;
    const Source *s = &c->planes[0];
    for (int j = 0; j < rows; j++) {
        float x, y, gain, dx, dy, dg;
        ends(g, g->x, row + j, column, &x, &dx);
        ends(g, g->y, row + j, column, &y, &dy);
        ends(g, g->gain, row + j, column, &gain, &dg);
        for (int i = 0; i < BLOCK; i++) {
            const float u = x + i * dx - 0.5f, v = y + i * dy - 0.5f;
            const float value = 16 + (read_anywhere(s, u, v) - 16) * (gain + i * dg) * c->light;
            lit[j * BLOCK + i] = to_word(24 + (value - 24) * cover(s, u, v));
        }
    }
}
#define lit_at_edge VARIANT(lit_at_edge)

TARGET static void VARIANT(tinted_at_edge)(
    const Camera *c, int row, int column, int rows, const int16_t *above, int16_t *blue, int16_t *red
) {
    const Geometry *g = &c->chroma;
    for (int j = 0; j < rows; j++) {
        float x, y, dx, dy;
        ends(g, g->x, row + j, column, &x, &dx);
        ends(g, g->y, row + j, column, &y, &dy);
        for (int i = 0; i < BLOCK; i++) {
            const int k = j * BLOCK + i;
            const float u = x + i * dx - 0.5f, v = y + i * dy - 0.5f, within = cover(&c->planes[1], u, v);
            const float b = read_anywhere(&c->planes[1], u, v) - 128, r = read_anywhere(&c->planes[2], u, v) - 128;
            const float luma = above[k] * (1 / 128.0f);
            blue[k] = to_word((c->tint[0][0] * luma + c->tint[0][1] * b + c->tint[0][2] * r) * within);
            red[k] = to_word((c->tint[1][0] * luma + c->tint[1][1] * b + c->tint[1][2] * r) * within);
        }
    }
}
#define tinted_at_edge VARIANT(tinted_at_edge)

/* The right camera's share of a block, in 32767ths. */
TARGET static void VARIANT(shares)(const Seam *seam, int row, int column, int rows, int16_t *share) {
    for (int j = 0; j < rows; j++) {
        const float slope = seam->slope[row + j], from = (column * BLOCK + 0.5f - seam->centre[row + j]) * slope + 0.5f;
        for (int i = 0; i < BLOCK; i++) {
            float s = from + i * slope;
            s = s < 0 ? 0 : s > 1 ? 1 : s;
            share[j * BLOCK + i] = (int16_t)(s * 32767 + 0.5f);
        }
    }
}
#define shares VARIANT(shares)

TARGET static void VARIANT(mix)(int16_t *left, const int16_t *right, const int16_t *share) {
    for (int k = 0; k < PIXELS; k++)
        left[k] = (int16_t)(rounded(left[k], 32767 - share[k]) + rounded(right[k], share[k]));
}
#define mix VARIANT(mix)

/* Lit values to bytes: 1 / 63.75, and in chroma 128 more. */
TARGET static void VARIANT(finish)(const int16_t *lit, int more, uint8_t *out, ptrdiff_t stride, int rows, int columns) {
    uint8_t bytes[PIXELS];
    for (int k = 0; k < PIXELS; k++) {
        const int value = rounded(lit[k], 514) + more;
        bytes[k] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    for (int j = 0; j < rows; j++) memcpy(out + j * stride, bytes + j * BLOCK, (size_t)columns);
}
#define finish VARIANT(finish)

/* 128 times luma above black, averaged over the four pixels of each chroma pixel. */
TARGET static void VARIANT(light_above)(const Target *luma, int row, int column, int rows, int columns, int16_t *above) {
    for (int j = 0; j < rows; j++) {
        const uint8_t *p = luma->pixels + 2 * (row + j) * luma->stride + 2 * column * BLOCK, *q = p + luma->stride;
        for (int i = 0; i < columns; i++)
            above[j * BLOCK + i] = (int16_t)((p[2 * i] + p[2 * i + 1] + q[2 * i] + q[2 * i + 1] - 64) * 32);
    }
}
#define light_above VARIANT(light_above)

TARGET static void VARIANT(any_luma)(const Task *t, int row, int column, int first, int rows, int columns) {
    int16_t lit[PIXELS], next[PIXELS], share[PIXELS];
    memset(share, 0, sizeof share);
    for (int k = first; k < t->cameras; k++) {
        int16_t *to = k == first ? lit : next;
        if (k > first && column * BLOCK + 7.5f <= t->luma_seams[k - 1].low[row / BLOCK]) continue;
        const Camera *c = &t->camera[k];
        const int16_t *cell = c->luma.cells + ((ptrdiff_t)(row / BLOCK) * c->luma.columns + column) * CELL_WORDS;
        if (cell[CELL_KIND] == DARK || (cell[CELL_KIND] == EDGE && rows < BLOCK))
            for (int i = 0; i < PIXELS; i++) to[i] = 1530;
        if (cell[CELL_KIND] == EDGE) lit_at_edge(c, row, column, rows, to);
        if (cell[CELL_KIND] >= ROW_BY_ROW) lit_inside(c, cell, row, column, to);
        if (k > first) {
            shares(&t->luma_seams[k - 1], row, column, rows, share);
            mix(lit, next, share);
        }
    }
    finish(lit, 0, t->planes[0].pixels + row * t->planes[0].stride + column * BLOCK, t->planes[0].stride, rows, columns);
}
#define any_luma VARIANT(any_luma)

TARGET static void VARIANT(any_chroma)(const Task *t, int row, int column, int first, int rows, int columns) {
    int16_t lit[2][PIXELS], next[2][PIXELS], share[PIXELS], above[PIXELS];
    memset(share, 0, sizeof share);
    memset(above, 0, sizeof above);
    if (t->coupled) light_above(&t->planes[0], row, column, rows, columns, above);
    for (int k = first; k < t->cameras; k++) {
        int16_t(*to)[PIXELS] = k == first ? lit : next;
        if (k > first && column * BLOCK + 7.5f <= t->chroma_seams[k - 1].low[row / BLOCK]) continue;
        const Camera *c = &t->camera[k];
        const int16_t *cell = c->chroma.cells + ((ptrdiff_t)(row / BLOCK) * c->chroma.columns + column) * CELL_WORDS;
        if (cell[CELL_KIND] == DARK || (cell[CELL_KIND] == EDGE && rows < BLOCK)) memset(to, 0, sizeof lit);
        if (cell[CELL_KIND] == EDGE) tinted_at_edge(c, row, column, rows, above, to[0], to[1]);
        if (cell[CELL_KIND] >= ROW_BY_ROW) tinted_inside(c, cell, row, column, above, to[0], to[1]);
        if (k > first) {
            shares(&t->chroma_seams[k - 1], row, column, rows, share);
            mix(lit[0], next[0], share);
            mix(lit[1], next[1], share);
        }
    }
    for (int half = 0; half < 2; half++) {
        const Target *to = &t->planes[1 + half];
        finish(lit[half], 128, to->pixels + row * to->stride + column * BLOCK, to->stride, rows, columns);
    }
}
#define any_chroma VARIANT(any_chroma)

#undef Spots
#undef rounded
#undef saturated
#undef spread
#undef ends
#undef locate
#undef gains
#undef read_block
#undef lit_inside
#undef tinted_inside
#undef read_anywhere
#undef cover
#undef to_word
#undef lit_at_edge
#undef tinted_at_edge
#undef shares
#undef mix
#undef finish
#undef light_above
#undef any_luma
#undef any_chroma
#undef VARIANT
#undef TARGET
