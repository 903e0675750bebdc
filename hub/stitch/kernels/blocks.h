/* Blocks of any kind: included once for each variant. A variant sets `VARIANT(name)`, `TARGET`, and what it reckons
   with: `vec` of `LANES` words, `load`, `store`, `all`, `plus`, `minus`, `plus_sat`, `rounded`; `rows_word(rows, nth)`, one
   of the words of each of its rows of pixels, and `store_bytes`; and it reads pixels by `read_block`.

   Pixels of a block are kept row by row in the order 0 1 2 3 7 6 5 4: the lower half mirrors the upper. */

/* Where a block's pixels lie: 1024ths of a pixel from the origin of their row. */
typedef struct {
    int16_t x[PIXELS], y[PIXELS];
    ptrdiff_t origin[BLOCK];
    int wide;
} VARIANT(Spots);
#define Spots VARIANT(Spots)

TARGET static void VARIANT(read_block)(const Spots *spots, const Source *s, int16_t *value);
#define read_block VARIANT(read_block)

/* Bilinear values of a block from a middle, its steps and its twist. */
TARGET static inline void VARIANT(spread)(const int16_t *word, int16_t *out) {
    for (int k = 0; k < PIXELS / 2; k += LANES) {
        const vec across = plus(all(word[0]), rounded(all(word[1]), load(ACROSS + k)));
        const vec down = plus(rounded(all(word[2]), load(DOWN + k)), rounded(all(word[3]), load(TWIST + k)));
        store(out + k, plus(across, down));
        store(out + PIXELS / 2 + k, minus(across, down));
    }
}
#define spread VARIANT(spread)

/* Linear values of a block whose rows have middles and steps of their own. */
TARGET static inline void VARIANT(spread_rows)(const int16_t *rows, int nth, int16_t *out) {
    for (int k = 0; k < PIXELS; k += LANES) {
        const int16_t *row = rows + k / BLOCK * ROW_WORDS;
        store(out + k, plus(rows_word(row, nth), rounded(rows_word(row, nth + 1), load(ACROSS + k % (PIXELS / 2)))));
    }
}
#define spread_rows VARIANT(spread_rows)

TARGET static void VARIANT(locate)(const Geometry *g, const int16_t *cell, ptrdiff_t stride, Spots *spots) {
    spots->wide = cell[CELL_KIND] == WIDE_ROWS;
    if (cell[CELL_KIND] > ROW_BY_ROW) {
        spread(cell + PLACE_X, spots->x);
        spread(cell + PLACE_Y, spots->y);
        for (int j = 0; j < BLOCK; j++) spots->origin[j] = cell[CELL_Y] * stride + cell[CELL_X];
        return;
    }
    const int16_t *rows = rows_of(g, cell);
    spread_rows(rows, ROW_PLACE_X, spots->x);
    spread_rows(rows, ROW_PLACE_Y, spots->y);
    for (int j = 0; j < BLOCK; j++) spots->origin[j] = rows[j * ROW_WORDS + 1] * stride + rows[j * ROW_WORDS];
}
#define locate VARIANT(locate)

/* Luma lit, of a block inside the picture. */
TARGET static void VARIANT(lit_inside)(const Camera *c, const int16_t *cell, int16_t *lit) {
    Spots spots;
    int16_t gain[PIXELS], value[PIXELS];
    locate(&c->luma, cell, c->planes[0].stride, &spots);
    read_block(&spots, &c->planes[0], value);
    if (cell[CELL_KIND] > ROW_BY_ROW) {
        int16_t word[4] = {0};
        for (int k = 0; k < 3; k++) word[k] = rounded_word(cell[GAIN + k], c->light_word);
        spread(word, gain);
    } else {
        spread_rows(rows_of(&c->luma, cell), ROW_GAIN, gain);
        for (int k = 0; k < PIXELS; k += LANES) store(gain + k, rounded(load(gain + k), all(c->light_word)));
    }
    for (int k = 0; k < PIXELS; k += LANES) {
        /* 16 + (128 - 16) * gain, and what is above 128 times the gain. */
        const vec g = load(gain + k), from = plus_sat(rounded(g, all(28560)), all(1020));
        store(lit + k, plus_sat(rounded(load(value + k), g), from));
    }
}
#define lit_inside VARIANT(lit_inside)

/* Chroma lit, of a block inside the picture; `above` is 128 times luma above black. */
TARGET static void
VARIANT(tinted_inside)(const Camera *c, const int16_t *cell, const int16_t *above, int16_t *blue, int16_t *red) {
    Spots spots;
    int16_t b[PIXELS], r[PIXELS];
    locate(&c->chroma, cell, c->planes[1].stride, &spots);
    read_block(&spots, &c->planes[1], b);
    if (c->planes[1].stride != c->planes[2].stride) locate(&c->chroma, cell, c->planes[2].stride, &spots);
    read_block(&spots, &c->planes[2], r);
    for (int half = 0; half < 2; half++) {
        const int16_t *w = c->tint_words[half];
        int16_t *out = half ? red : blue;
        for (int k = 0; k < PIXELS; k += LANES) {
            const vec own = plus_sat(rounded(load(b + k), all(w[1])), rounded(load(r + k), all(w[2])));
            store(out + k, plus_sat(own, rounded(load(above + k), all(w[0]))));
        }
    }
}
#define tinted_inside VARIANT(tinted_inside)

TARGET static void VARIANT(lit_at_edge)(const Camera *c, int row, int column, int rows, int16_t *lit) {
    for (int s = 0; s < BLOCK; s++) {
        const int j = ROW_IN[s];
        if (j >= rows) continue;
        const Line x = line(&c->luma, c->luma.x, row + j, column), y = line(&c->luma, c->luma.y, row + j, column);
        const Line gain = line(&c->luma, c->luma.gain, row + j, column);
        for (int i = 0; i < BLOCK; i++) {
            const float u = x.at + i * x.step - 0.5f, v = y.at + i * y.step - 0.5f;
            const float value = 16 + (read_anywhere(&c->planes[0], u, v) - 16) * (gain.at + i * gain.step) * c->light;
            lit[s * BLOCK + i] = to_word(24 + (value - 24) * cover(&c->planes[0], u, v));
        }
    }
}
#define lit_at_edge VARIANT(lit_at_edge)

TARGET static void VARIANT(tinted_at_edge)(
    const Camera *c, int row, int column, int rows, const int16_t *above, int16_t *blue, int16_t *red
) {
    for (int s = 0; s < BLOCK; s++) {
        const int j = ROW_IN[s];
        if (j >= rows) continue;
        const Line x = line(&c->chroma, c->chroma.x, row + j, column), y = line(&c->chroma, c->chroma.y, row + j, column);
        for (int i = 0; i < BLOCK; i++) {
            const int k = s * BLOCK + i;
            const float u = x.at + i * x.step - 0.5f, v = y.at + i * y.step - 0.5f, within = cover(&c->planes[1], u, v);
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
    for (int s = 0; s < BLOCK; s++) {
        const int j = ROW_IN[s];
        if (j >= rows) continue;
        const float slope = seam->slope[row + j], from = (column * BLOCK + 0.5f - seam->centre[row + j]) * slope + 0.5f;
        for (int i = 0; i < BLOCK; i++) {
            float part = from + i * slope;
            part = part < 0 ? 0 : part > 1 ? 1 : part;
            share[s * BLOCK + i] = (int16_t)(int)(part * 32767 + 0.5f);
        }
    }
}
#define shares VARIANT(shares)

TARGET static inline void VARIANT(mix)(int16_t *left, const int16_t *right, const int16_t *share) {
    for (int k = 0; k < PIXELS; k += LANES) {
        const vec s = load(share + k);
        store(left + k, plus(rounded(load(left + k), minus(all(32767), s)), rounded(load(right + k), s)));
    }
}
#define mix VARIANT(mix)

/* Lit values to bytes: 1 / 63.75, and in chroma 128 more. */
TARGET static void VARIANT(finish)(const int16_t *lit, int more, uint8_t *out, ptrdiff_t stride, int rows, int columns) {
    uint8_t bytes[PIXELS];
    for (int k = 0; k < PIXELS; k += LANES)
        store_bytes(bytes + k, plus(rounded(load(lit + k), all(514)), all((int16_t)more)));
    if (columns == BLOCK && rows == BLOCK)
        for (int s = 0; s < BLOCK; s++) memcpy(out + ROW_IN[s] * stride, bytes + s * BLOCK, BLOCK);
    else
        for (int s = 0; s < BLOCK; s++)
            if (ROW_IN[s] < rows) memcpy(out + ROW_IN[s] * stride, bytes + s * BLOCK, (size_t)columns);
}
#define finish VARIANT(finish)

TARGET static void VARIANT(any_luma)(const Task *t, int row, int column, int first, int rows, int columns) {
    int16_t lit[PIXELS], next[PIXELS], share[PIXELS];
    for (int k = first; k < t->cameras; k++) {
        int16_t *to = k == first ? lit : next;
        if (k > first && column * BLOCK + 7.5f <= t->luma_seams[k - 1].low[row / BLOCK]) continue;
        const Camera *c = &t->camera[k];
        const int16_t *cell = cell_of(&c->luma, row / BLOCK, column);
        if (cell[CELL_KIND] >= WIDE_ROWS) {
            lit_inside(c, cell, to);
        } else {
            for (int i = 0; i < PIXELS; i++) to[i] = 1530;
            if (cell[CELL_KIND] == EDGE) lit_at_edge(c, row, column, rows, to);
        }
        if (k > first) {
            memset(share, 0, sizeof share);
            shares(&t->luma_seams[k - 1], row, column, rows, share);
            mix(lit, next, share);
        }
    }
    const Target *to = &t->planes[0];
    finish(lit, 0, to->pixels + row * to->stride + column * BLOCK, to->stride, rows, columns);
}
#define any_luma VARIANT(any_luma)

TARGET static void VARIANT(any_chroma)(const Task *t, int row, int column, int first, int rows, int columns) {
    int16_t lit[2][PIXELS], next[2][PIXELS], share[PIXELS], above[PIXELS];
    if (t->coupled && rows == BLOCK && columns == BLOCK) {
        light_above(&t->planes[0], row, column, BLOCK, BLOCK, above);
    } else {
        memset(above, 0, sizeof above);
        if (t->coupled) light_above(&t->planes[0], row, column, rows, columns, above);
    }
    for (int k = first; k < t->cameras; k++) {
        int16_t(*to)[PIXELS] = k == first ? lit : next;
        if (k > first && column * BLOCK + 7.5f <= t->chroma_seams[k - 1].low[row / BLOCK]) continue;
        const Camera *c = &t->camera[k];
        const int16_t *cell = cell_of(&c->chroma, row / BLOCK, column);
        if (cell[CELL_KIND] >= WIDE_ROWS) {
            tinted_inside(c, cell, above, to[0], to[1]);
        } else {
            memset(to, 0, sizeof lit);
            if (cell[CELL_KIND] == EDGE) tinted_at_edge(c, row, column, rows, above, to[0], to[1]);
        }
        if (k > first) {
            memset(share, 0, sizeof share);
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
#undef read_block
#undef spread
#undef spread_rows
#undef locate
#undef lit_inside
#undef tinted_inside
#undef lit_at_edge
#undef tinted_at_edge
#undef shares
#undef mix
#undef finish
#undef any_luma
#undef any_chroma
#undef VARIANT
#undef TARGET
#undef vec
#undef LANES
#undef load
#undef store
#undef all
#undef plus
#undef minus
#undef plus_sat
#undef rounded
#undef rows_word
#undef store_bytes
