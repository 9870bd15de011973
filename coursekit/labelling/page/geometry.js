// Points in the plane: [x, y] in pixels of the photograph, pixel centres at whole numbers.

export const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

export function middle(points, indices) {
  let x = 0, y = 0;
  for (const i of indices) { x += points[i][0]; y += points[i][1]; }
  return [x / indices.length, y / indices.length];
}

export function box(points, indices) {
  const of = [...indices], xs = of.map((i) => points[i][0]), ys = of.map((i) => points[i][1]);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

/** Whether two boxes share less than half of what they cover, as those of two faces do. */
export function apart(a, b) {
  const size = ({ left, right, top, bottom }) => Math.max(right - left, 0) * Math.max(bottom - top, 0);
  const shared = size({
    left: Math.max(a.left, b.left), right: Math.min(a.right, b.right),
    top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom),
  });
  return 2 * shared < size(a) + size(b) - shared;
}

/** A copy in which some points are moved by (dx, dy). */
export function shifted(points, indices, dx, dy) {
  const result = points.slice();
  for (const i of indices) result[i] = [points[i][0] + dx, points[i][1] + dy];
  return result;
}

/** A copy in which some points are scaled by a factor and turned by an angle about a centre. */
export function turned(points, indices, centre, factor, angle) {
  const c = factor * Math.cos(angle), s = factor * Math.sin(angle), result = points.slice();
  for (const i of indices) {
    const x = points[i][0] - centre[0], y = points[i][1] - centre[1];
    result[i] = [centre[0] + c * x - s * y, centre[1] + s * x + c * y];
  }
  return result;
}

/** Points of a photograph at another size, each [width, height]; the same list where it is the same size. */
export function resized(points, from, to) {
  if (from[0] === to[0] && from[1] === to[1]) return points;
  return points.map((point) => point.map((v, k) => (v + 0.5) * to[k] / from[k] - 0.5));
}

/** The index of the nearest point within a reach; -1 for none. */
export function nearest(points, place, reach) {
  let best = -1, least = reach;
  points.forEach((point, i) => {
    const off = distance(point, place);
    if (off < least) { least = off; best = i; }
  });
  return best;
}

/** Parts that are moved together, by name, from the groups of the points. */
export function wholeParts(groups) {
  const all = (...names) => names.flatMap((name) => groups[name]);
  return {
    "jaw": all("jaw"),
    "right brow": all("r_brow"),
    "left brow": all("l_brow"),
    "nose": all("nose_bridge", "nose"),
    "right eye": all("r_eye", "r_eye_centre", "r_pupil"),
    "left eye": all("l_eye", "l_eye_centre", "l_pupil"),
    "mouth": all("outer_mouth", "inner_mouth"),
  };
}

/** Lines between neighbours, as lists of indices; a closed one ends where it began. */
export function outlines(groups) {
  const closed = (name) => [...groups[name], groups[name][0]];
  return [
    groups.jaw, closed("r_brow"), closed("l_brow"), groups.nose_bridge, groups.nose,
    closed("r_eye"), closed("l_eye"), closed("outer_mouth"), closed("inner_mouth"),
  ];
}
