//! The colours of a terminal on a light and on a dark page.

/// Background, text, and the sixteen colours.
pub(crate) struct Palette {
    pub(crate) background: &'static str,
    pub(crate) edge: &'static str,
    pub(crate) text: &'static str,
    pub(crate) colours: [&'static str; 16],
}

/// On white.
pub(crate) const LIGHT: Palette = Palette {
    background: "#ffffff",
    edge: "#d0d7de",
    text: "#1f2328",
    colours: [
        "#24292f", "#cf222e", "#1a7f37", "#9a6700", "#0550ae", "#8250df", "#1b7c83", "#6e7781", "#57606a", "#a40e26",
        "#2da44e", "#bf8700", "#218bff", "#a475f9", "#3192aa", "#8c959f",
    ],
};

/// On near black.
pub(crate) const DARK: Palette = Palette {
    background: "#0d1117",
    edge: "#30363d",
    text: "#e6edf3",
    colours: [
        "#484f58", "#ff7b72", "#3fb950", "#d29922", "#388bfd", "#bc8cff", "#39c5cf", "#b1bac4", "#6e7681", "#ffa198",
        "#56d364", "#e3b341", "#58a6ff", "#d2a8ff", "#56d4dd", "#ffffff",
    ],
};
