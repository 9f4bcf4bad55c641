/** The program that draws the surface on the graphics card. */

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
  if (share > 1.3) discard; // a place without a loss
  float lit = max(dot(normalize(normal), vec3(-0.46, -0.27, 0.846)), 0.0);
  vec3 ground = texture(ramp, vec2(share, 0.5)).rgb * (shadow + light * lit);
  float width = fwidth(level);
  float near = abs(fract(level - 0.5) - 0.5) / max(width, 1e-6);
  float drawn = (1.0 - smoothstep(0.3, 1.0, near)) * (1.0 - smoothstep(0.25, 0.6, width)) * line.a;
  colour = vec4(mix(ground, line.rgb, level > 0.5 ? drawn : 0.0), 1.0);
}`;

/** A program with its uniforms by name. */
function createProgram(gl, vertex, fragment, names) {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The graphics card refused the 3-D view. ${gl.getProgramInfoLog(program) ?? ""}`);
  }
  return {
    program,
    at: Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)])),
  };
}

export const surfaceProgram = (gl) =>
  createProgram(gl, SURFACE_VERTEX, SURFACE_FRAGMENT, [
    "camera",
    "block",
    "side",
    "ramp",
    "line",
    "shadow",
    "light",
  ]);
