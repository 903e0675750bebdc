// One invocation makes four neighbouring pixels of the panorama, which are one word of what is read back. The host puts
// CAMERAS and the textures of each camera in front of this, and functions `luma_around`, `blue_around` and `red_around`
// that load a corner's neighbours from a camera's texture, row by row.

struct Slot {
    camera: u32,  // whose textures
    width: u32,
    height: u32,
    columns: u32,  // of nodes of luma, then of chroma
    half_columns: u32,
    nodes: u32,  // where its nodes and its rows of pixels begin
    half_nodes: u32,
    steps: u32,
    half_steps: u32,
    light: f32,
    blue: vec3<f32>,  // of luma above black, blue and red difference; a vector begins at a multiple of 16 bytes
    red: vec3<f32>,
}

struct Task {
    width: u32,
    height: u32,
    row_words: u32,
    half_row_words: u32,
    cameras: u32,
    luma_at: u32,  // first words of the planes
    blue_at: u32,
    red_at: u32,
    slots: array<Slot, CAMERAS>,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<storage, read> nodes: array<vec4<f32>>;  // x, y, gain
@group(0) @binding(2) var<storage, read> steps: array<vec2<f32>>;  // for each row of pixels: node row above, way down
@group(0) @binding(3) var<storage, read> cuts: array<vec2<f32>>;  // centre, 1 / width; for luma's rows, then chroma's
@group(0) @binding(4) var<storage, read_write> made: array<u32>;

const DARK = 24.0;
const BLACK = 16.0;

// Where a pixel of the panorama lies in a camera's plane, centres at whole numbers, and the gain there.
fn place(first: u32, columns: u32, step: vec2<f32>, column: u32) -> vec3<f32> {
    let left = first + u32(step.x) * columns + column / 8u;
    let along = (f32(column % 8u) + 0.5) / 8.0;
    let above = left + columns;
    let a = mix(nodes[left].xyz, nodes[above].xyz, step.y);
    let b = mix(nodes[left + 1u].xyz, nodes[above + 1u].xyz, step.y);
    return mix(a, b, along) - vec3<f32>(0.5, 0.5, 0.0);
}

// How much of a pixel that is read there lies within the plane.
fn cover(at: vec2<f32>, last: vec2<f32>) -> f32 {
    let over = max(max(-at, at - last), vec2<f32>(0.0));
    let within = clamp(1.0 - over, vec2<f32>(0.0), vec2<f32>(1.0));
    return within.x * within.y;
}

// Where four neighbours lie around a place, and how near it is to each of them. Outermost pixels go on for ever.
struct Corner {
    whole: vec2<i32>,
    next: vec2<i32>,
    part: vec2<f32>,
}

fn corner(at: vec2<f32>, last: vec2<f32>) -> Corner {
    let inside = clamp(at, vec2<f32>(0.0), last);
    let whole = vec2<i32>(floor(inside));
    return Corner(whole, min(whole + 1, vec2<i32>(last)), inside - floor(inside));
}

fn between(four: vec4<f32>, part: vec2<f32>) -> f32 {
    return mix(mix(four.x, four.y, part.x), mix(four.z, four.w, part.x), part.y) * 255.0;
}

fn share(cut: u32, column: u32) -> f32 {
    return clamp((f32(column) + 0.5 - cuts[cut].x) * cuts[cut].y + 0.5, 0.0, 1.0);
}

// The last camera whose share is all of a pixel: what lies before it is not seen. `rows` is the number of rows.
fn first_slot(first_cut: u32, rows: u32, row: u32, column: u32) -> u32 {
    for (var k = task.cameras - 1u; k > 0u; k--) {
        if share(first_cut + (k - 1u) * rows + row, column) >= 1.0 {
            return k;
        }
    }
    return 0u;
}

fn lit(k: u32, row: u32, column: u32) -> f32 {
    let slot = task.slots[k];
    let at = place(slot.nodes, slot.columns, steps[slot.steps + row], column);
    let last = vec2<f32>(f32(slot.width - 1u), f32(slot.height - 1u));
    let within = cover(at.xy, last);
    if within <= 0.0 {
        return DARK;
    }
    let c = corner(at.xy, last);
    let value = BLACK + (between(luma_around(slot.camera, c), c.part) - BLACK) * at.z * slot.light;
    return DARK + (value - DARK) * within;
}

@compute @workgroup_size(16, 8)
fn make_luma(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= task.row_words || id.y >= task.height {
        return;
    }
    var word = 0u;
    for (var i = 0u; i < 4u; i++) {
        let column = min(id.x * 4u + i, task.width - 1u);
        let first = first_slot(0u, task.height, id.y, column);
        var value = lit(first, id.y, column);
        for (var k = first + 1u; k < task.cameras; k++) {
            let right = share((k - 1u) * task.height + id.y, column);
            if right > 0.0 {
                value = mix(value, lit(k, id.y, column), right);
            }
        }
        word |= u32(clamp(round(value), 0.0, 255.0)) << (8u * i);
    }
    made[id.y * task.row_words + id.x] = word;
}

// Luma above black, averaged over the four pixels of a chroma pixel.
fn above_black(row: u32, column: u32) -> f32 {
    let shift = 16u * (column % 2u);
    var sum = 0u;
    for (var j = 0u; j < 2u; j++) {
        let pair = made[(2u * row + j) * task.row_words + column / 2u] >> shift;
        sum += (pair & 255u) + ((pair >> 8u) & 255u);
    }
    return f32(sum) * 0.25 - BLACK;
}

fn tinted(k: u32, row: u32, column: u32, luma: f32) -> vec2<f32> {
    let slot = task.slots[k];
    let at = place(slot.half_nodes, slot.half_columns, steps[slot.half_steps + row], column).xy;
    let last = vec2<f32>(f32(slot.width / 2u - 1u), f32(slot.height / 2u - 1u));
    let within = cover(at, last);
    if within <= 0.0 {
        return vec2<f32>(0.0);
    }
    let c = corner(at, last);
    let blue = between(blue_around(slot.camera, c), c.part) - 128.0;
    let red = between(red_around(slot.camera, c), c.part) - 128.0;
    let was = vec3<f32>(luma, blue, red);
    return vec2<f32>(dot(slot.blue, was), dot(slot.red, was)) * within;
}

@compute @workgroup_size(16, 8)
fn make_chroma(@builtin(global_invocation_id) id: vec3<u32>) {
    let height = task.height / 2u;
    if id.x >= task.half_row_words || id.y >= height {
        return;
    }
    let first_cut = (task.cameras - 1u) * task.height;
    var blue = 0u;
    var red = 0u;
    for (var i = 0u; i < 4u; i++) {
        let column = min(id.x * 4u + i, task.width / 2u - 1u);
        let luma = above_black(id.y, column);
        let first = first_slot(first_cut, height, id.y, column);
        var value = tinted(first, id.y, column, luma);
        for (var k = first + 1u; k < task.cameras; k++) {
            let right = share(first_cut + (k - 1u) * height + id.y, column);
            if right > 0.0 {
                value = mix(value, tinted(k, id.y, column, luma), right);
            }
        }
        let bytes = vec2<u32>(clamp(round(value + 128.0), vec2<f32>(0.0), vec2<f32>(255.0)));
        blue |= bytes.x << (8u * i);
        red |= bytes.y << (8u * i);
    }
    let word = id.y * task.half_row_words + id.x;
    made[task.blue_at + word] = blue;
    made[task.red_at + word] = red;
}
