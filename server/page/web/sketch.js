// Strokes as lines of an SVG.

function boxOf(strokes) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of strokes) {
    for (let i = 0; i < x.length; ++i) {
      left = Math.min(left, x[i]);
      right = Math.max(right, x[i]);
      top = Math.min(top, y[i]);
      bottom = Math.max(bottom, y[i]);
    }
  }
  if (left > right) return { left: 0, top: 0, side: 255 };
  const side = Math.max(right - left, bottom - top, 1);
  return { left: (left + right - side) / 2, top: (top + bottom - side) / 2, side };
}

// A line of one point is a dot: it needs some length to be seen.
function pathOf({ x, y }, points = x.length) {
  let path = `M${x[0]} ${y[0]}`;
  for (let i = 1; i < points; ++i) path += `L${x[i]} ${y[i]}`;
  return points === 1 ? `${path}h.01` : path;
}

// `line`: its width, as a share of the frame.
function sketch(strokes, line = 1 / 36) {
  const { left, top, side } = boxOf(strokes);
  const edge = side * (0.04 + line / 2);
  return svg('svg', {
    viewBox: `${left - edge} ${top - edge} ${side + 2 * edge} ${side + 2 * edge}`,
    class: 'sketch',
    'stroke-width': side * line,
    'aria-hidden': 'true',
  }, ...strokes.map((stroke) => svg('path', { d: pathOf(stroke) })));
}
