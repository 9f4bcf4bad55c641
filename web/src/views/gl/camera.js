/**
 * The eye that looks at the surface: where it stands, where places appear on the canvas, and the way back.
 */

/** Half of the angle of view; a small one keeps heights comparable. */
const HALF = (14 * Math.PI) / 180;
export const HEIGHT = 0.46;

/** From high enough to look down into a valley. */
export const START = [-38, 54, 1];

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Room for ticks and names around the block, in CSS pixels. */
const MARGIN = { left: 44, right: 34, top: 22, bottom: 44 };

/**
 * A camera around the middle of the block that the surface fills: x and y from -0.5 to 0.5 times its sides, z
 * from 0. It stands where the block fills the canvas in the first pose, and keeps that distance while it
 * turns.
 * @param {number[]} pose [yaw, tilt, zoom]: degrees around, degrees above the floor, and a factor
 * @param {{ width: number, height: number }} size of the canvas in CSS pixels
 * @param {{ sx: number, sy: number }} block
 */
export function createCamera([yaw, tilt, zoom], size, block) {
  let distance = 4;
  let shift = [0, 0];
  for (let round = 0; round < 4; round++) {
    const extent = extentOf(cameraAt(START[0], START[1], distance, [0, 0], size), block);
    const { left, right, top, bottom } = MARGIN;
    const across = size.width - left - right;
    const down = size.height - top - bottom;
    distance *= Math.max((extent.x1 - extent.x0) / across, (extent.y1 - extent.y0) / down);
    shift = [left + across / 2 - (extent.x0 + extent.x1) / 2, top + down / 2 - (extent.y0 + extent.y1) / 2];
  }
  return { ...cameraAt(yaw, tilt, distance / zoom, shift, size), pose: [yaw, tilt, zoom] };
}

/** The rectangle on the canvas that holds the block. */
function extentOf({ project }, { sx, sy }) {
  const corners = [-0.5, 0.5].flatMap((x) =>
    [-0.5, 0.5].flatMap((y) => [0, HEIGHT].map((z) => project(x * sx, y * sy, z))),
  );
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return { x0: Math.min(...xs), x1: Math.max(...xs), y0: Math.min(...ys), y1: Math.max(...ys) };
}

function cameraAt(yaw, tilt, distance, [shiftX, shiftY], { width, height }) {
  const [a, b] = [(yaw * Math.PI) / 180, (tilt * Math.PI) / 180];
  const forward = [Math.sin(a) * Math.cos(b), Math.cos(a) * Math.cos(b), -Math.sin(b)];
  const right = [Math.cos(a), -Math.sin(a), 0];
  const up = [Math.sin(a) * Math.sin(b), Math.cos(a) * Math.sin(b), Math.cos(b)];
  const centre = [0, 0, HEIGHT * 0.4];
  const eye = centre.map((v, k) => v - forward[k] * distance);
  const f = 1 / Math.tan(HALF);
  const aspect = width / height;
  const near = Math.max(distance - 1.2, 0.05);
  const far = distance + 3;
  const project = (x, y, z) => {
    const p = [x - eye[0], y - eye[1], z - eye[2]];
    const w = dot(forward, p);
    const across = (f * dot(right, p)) / (aspect * w);
    const high = (f * dot(up, p)) / w;
    return [shiftX + (width / 2) * (1 + across), shiftY + (height / 2) * (1 - high), w];
  };
  const ray = (px, py) => {
    const u = ((2 * (px - shiftX)) / width - 1) * (aspect / f);
    const v = (1 - (2 * (py - shiftY)) / height) / f;
    return { from: eye, along: forward.map((value, k) => value + right[k] * u + up[k] * v) };
  };
  return {
    project,
    ray,
    eye,
    matrix: () =>
      matrixOf({
        right,
        up,
        forward,
        eye,
        f,
        aspect,
        near,
        far,
        moved: [(2 * shiftX) / width, (-2 * shiftY) / height],
      }),
  };
}

/** The matrix from the block to clip space, in the order of WebGL: column after column. */
function matrixOf({ right, up, forward, eye, f, aspect, near, far, moved: [mx, my] }) {
  const deep = (far + near) / (far - near);
  const shift = (-2 * far * near) / (far - near);
  const turned = [
    right.map((v) => (v * f) / aspect),
    up.map((v) => v * f),
    forward.map((v) => v * deep),
    forward,
  ];
  const rows = turned.map((row, k) => row.map((v, n) => v + (k < 2 ? [mx, my][k] * forward[n] : 0)));
  const moved = rows.map((row) => -dot(row, eye));
  moved[2] += shift;
  return Float32Array.from([0, 1, 2].flatMap((k) => rows.map((row) => row[k])).concat(moved));
}
