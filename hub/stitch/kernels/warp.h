/* What the compiled kernel is handed, and how it reckons.

   Everything is done in blocks of 8 x 8 pixels of one plane, in 16 bits, and all variants of the code reckon alike to
   the last bit in blocks that lie inside a camera's picture:

   - a place is in 1024ths of a pixel from the block's (or the row's) own origin in the camera's plane;
   - a value read is 255 * (value - 128): along x by weights that sum up to 255, along y by 15 bits;
   - a value lit is 63.75 * luma, or 63.75 * (chroma - 128), so that a gain of four still fits;
   - `rounded` is what pmulhrsw and sqrdmulh do: the product of two fractions of 15 bits.

   A block's bilinear places come from the middle of its cell of the grid: the middle's own, the steps along x and y,
   and the twist. Only blocks that touch the edge of a picture are done in floats, straight from the grid. */

#ifndef TOUCHLINE_WARP_H
#define TOUCHLINE_WARP_H

#include <stddef.h>
#include <stdint.h>

enum { BLOCK = 8, PIXELS = 64, MOST_CAMERAS = 8, TILE_ROWS = 128, TILE_COLUMNS = 128 };

/* How a block can be done. One that lies inside the picture comes from a patch of 16 x 16 pixels (the kinds of tables
   tell how many of its rows are needed where), or at least each of its rows from 32 or 16 neighbouring columns. */
enum { DARK = 0, EDGE = 1, WIDE_ROWS = 2, ROW_BY_ROW = 3, ONE_TABLE = 4, TWO_TABLES = 5, WHOLE_TABLE = 6 };

/* One cell of a grid: origin in the plane, kind, x (middle, along x, along y, twist), y likewise, gain (no twist). Where
   each row has its own, the first two are the number of the cell's rows instead, modulo 32768 and the rest. */
enum { CELL_X, CELL_Y, CELL_KIND, PLACE_X = 4, PLACE_Y = 8, GAIN = 12, CELL_WORDS = 16 };

/* One row of a cell whose rows have their own: origin in the plane, x (middle, along x), y, gain. */
enum { ROW_PLACE_X = 2, ROW_PLACE_Y = 4, ROW_GAIN = 6, ROW_WORDS = 8 };

typedef struct {
    const int16_t *cells;  /* [block rows][columns][CELL_WORDS] */
    const int16_t *rows;  /* [cells done row by row][BLOCK, in the order 0 1 2 3 7 6 5 4][ROW_WORDS] */
    const float *x, *y, *gain;  /* nodes [rows][columns + 1] */
    const int32_t *above;  /* for each row of pixels the row of nodes above its middle ... */
    const float *down;  /* ... and how far it is to the next */
    int32_t columns;
} Geometry;

typedef struct {
    const uint8_t *pixels;
    ptrdiff_t stride;
    int32_t width, height;
} Source;

typedef struct {
    Geometry luma, chroma;
    Source planes[3];
    float light, tint[2][3];
    int16_t light_word, tint_words[2][3];
} Camera;

typedef struct {
    const float *centre, *slope;  /* for each row; slope is 1 / width */
    const float *low, *high;  /* for each row of blocks: where the share begins to rise, and where it is 1 */
} Seam;

typedef struct {
    uint8_t *pixels;
    ptrdiff_t stride;
} Target;

typedef struct {
    int32_t cameras, width, height, coupled;
    Camera camera[MOST_CAMERAS];
    Seam luma_seams[MOST_CAMERAS], chroma_seams[MOST_CAMERAS];
    Target planes[3];
} Task;

/* The variants of the code, slowest first. */
enum { PLAIN = 0, AVX2 = 1, AVX512 = 2, VARIANTS = 3 };

static int can_run(int variant);

/* Makes luma rows [top, bottom) and columns [left, right), multiples of 16 or the panorama's ends, and their chroma. */
static void stitch_part(const Task *task, int variant, int top, int bottom, int left, int right);

#endif
