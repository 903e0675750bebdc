// Drawing a pitch: metres of the pitch frame (x along the touchline, y from near to far) onto a canvas.
const MARGIN_M = 3;

// Fits the canvas to its box at the screen's resolution; returns the way from metres to pixels.
export function fit(canvas, pitch) {
  const width = canvas.clientWidth || 600;
  const metres = [pitch.length + 2 * MARGIN_M, pitch.width + 2 * MARGIN_M];
  const scale = width / metres[0];
  const height = metres[1] * scale;
  const density = Math.min(window.devicePixelRatio || 1, 2);
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  const pen = canvas.getContext("2d");
  pen.setTransform(density, 0, 0, density, 0, 0);
  return { pen, width, height, scale, x: (m) => width / 2 + m * scale, y: (m) => height / 2 - m * scale };
}

export function drawPitch(frame, pitch) {
  const { pen, width, height, scale, x, y } = frame;
  pen.fillStyle = "#235c41";
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = "#27644a";
  const stripes = 12;
  for (let i = 0; i < stripes; i += 2) {
    pen.fillRect(x(-pitch.length / 2 + (i * pitch.length) / stripes), y(pitch.width / 2), (pitch.length / stripes) * scale, pitch.width * scale);
  }
  pen.strokeStyle = "rgb(244 248 240 / 72%)";
  pen.fillStyle = pen.strokeStyle;
  pen.lineWidth = Math.max(1, 0.14 * scale);
  for (const [x0, y0, x1, y1] of pitch.lines) {
    pen.beginPath();
    pen.moveTo(x(x0), y(y0));
    pen.lineTo(x(x1), y(y1));
    pen.stroke();
  }
  for (const [cx, cy, radius, start, end] of pitch.arcs) {
    pen.beginPath();
    pen.arc(x(cx), y(cy), radius * scale, -start, -end, true);
    pen.stroke();
  }
  for (const [cx, cy] of pitch.spots) {
    pen.beginPath();
    pen.arc(x(cx), y(cy), Math.max(1.5, 0.3 * scale), 0, 7);
    pen.fill();
  }
  for (const side of [-1, 1]) {
    const back = side * (pitch.length / 2 + 1.8);
    pen.strokeRect(Math.min(x(back), x((side * pitch.length) / 2)), y(pitch.goal / 2), 1.8 * scale, pitch.goal * scale);
  }
}
