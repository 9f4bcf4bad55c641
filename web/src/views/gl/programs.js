/** The programs of the 3-D view for the graphics card. */

const SURFACE_VERTEX = `#version 300 es
layout(location = 0) in vec3 vertex; // height, colour, level
layout(location = 1) in vec2 slope;
uniform mat4 camera;
uniform vec3 block; // sides and height
uniform int side;
out float share;
out float level;
out vec3 normal;
void main() {
  vec2 at = vec2(gl_VertexID % side, gl_VertexID / side) / float(side - 1) - 0.5;
  share = vertex.y;
  level = vertex.z;
  normal = vec3(-slope * block.z / block.xy, 1.0);
  gl_Position = camera * vec4(at * block.xy, vertex.x * block.z, 1.0);
}`;

// Light from the upper left; lines of equal loss one pixel wide, which fade where they would touch.
const SURFACE_FRAGMENT = `#version 300 es
precision highp float;
in float share;
in float level;
in vec3 normal;
uniform sampler2D ramp;
uniform vec4 line;
uniform vec3 shadow;
uniform vec3 light;
out vec4 colour;
void main() {
  float lit = max(dot(normalize(normal), vec3(-0.46, -0.27, 0.846)), 0.0);
  vec3 ground = texture(ramp, vec2(share, 0.5)).rgb * (shadow + light * lit);
  float width = fwidth(level);
  float near = abs(fract(level - 0.5) - 0.5) / max(width, 1e-6);
  float drawn = (1.0 - smoothstep(0.3, 1.0, near)) * (1.0 - smoothstep(0.25, 0.6, width)) * line.a;
  colour = vec4(mix(ground, line.rgb, level > 0.5 ? drawn : 0.0), 1.0);
}`;

const RIBBON_VERTEX = `#version 300 es
layout(location = 0) in vec4 from; // a place of the block, and the length of the trail before
layout(location = 1) in vec4 to;
uniform mat4 camera;
uniform vec2 pixels; // the size of the canvas
uniform float width;
uniform float lift;
out float along;
void main() {
  vec4 a = camera * vec4(from.xyz, 1.0), b = camera * vec4(to.xyz, 1.0);
  vec2 p = a.xy / a.w * pixels, q = b.xy / b.w * pixels, way = q - p;
  float size = length(way);
  vec2 ahead = size > 0.0001 ? way / size : vec2(1.0, 0.0);
  float end = float(gl_VertexID >> 1), beside = float(gl_VertexID & 1) * 2.0 - 1.0;
  // Each piece reaches a little into its neighbours, so that bends have no gaps.
  vec2 moved = vec2(-ahead.y, ahead.x) * beside * width + ahead * (end * 2.0 - 1.0) * width * 0.4;
  vec4 place = end > 0.5 ? b : a;
  place.xy += moved / pixels * place.w;
  place.z -= lift * place.w;
  along = mix(from.w < 0.0 ? -1.0 - from.w : from.w, to.w, end);
  gl_Position = to.w < 0.0 ? vec4(2.0, 2.0, 2.0, 1.0) : place;
}`;

const RIBBON_FRAGMENT = `#version 300 es
precision highp float;
in float along;
uniform vec4 tint;
uniform float dash; // the length of a dash and its gap, 0 for none
out vec4 colour;
void main() {
  if (dash > 0.0 && fract(along / dash) > 0.6) discard;
  colour = tint;
}`;

/** A program with its uniforms by name. */
function createProgram(gl, vertex, fragment, names) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The graphics card refused the 3-D view. ${gl.getProgramInfoLog(program) ?? ""}`);
  }
  return { program, at: Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)])) };
}

export const surfaceProgram = (gl) =>
  createProgram(gl, SURFACE_VERTEX, SURFACE_FRAGMENT, ["camera", "block", "side", "ramp", "line", "shadow", "light"]);

export const ribbonProgram = (gl) =>
  createProgram(gl, RIBBON_VERTEX, RIBBON_FRAGMENT, ["camera", "pixels", "width", "lift", "tint", "dash"]);
