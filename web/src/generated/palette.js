// Printed from Python by `python -m thalweg.playground.printed`; do not edit.

export const LIGHT = { page: "#ffffff", card: "#f6f7f9", ink: "#16191d", soft: "#545b66", line: "#d4d8de", faint: "#eceef1", accent: "#0e6656", bad: "#b3261e", base: "#6b7280", other: "#8a919d" };
export const LIGHT_HUES = ["#1746a2", "#c0440a", "#0a8a68", "#6a1f58", "#ad922a", "#17a0cf", "#7f63d4"];
export const DARK = { page: "#15181c", card: "#1e2228", ink: "#eceff3", soft: "#a7afbb", line: "#3a414b", faint: "#272c33", accent: "#5ed0b5", bad: "#ff8a80", base: "#98a1ad", other: "#6f7883" };
export const DARK_HUES = ["#4a8ff8", "#ec6a1c", "#2ccb9b", "#b0809f", "#f7d452", "#a8ecfa", "#bdacfe"];
export const RAMP = ["#1d1b52", "#1e215c", "#202866", "#212e70", "#22357a", "#243b84", "#244287", "#234988", "#22518a", "#22588c", "#215f8e", "#21668f", "#216d8e", "#21748d", "#227c8c", "#22838b", "#228a8a", "#2c9187", "#359783", "#3f9e80", "#48a47d", "#52ab79", "#5fb177", "#6eb774", "#7dbd71", "#8cc26f", "#9cc86c", "#abce6c", "#bbd579", "#cbdd86", "#dbe493", "#ebeca1", "#fbf3ae"];
