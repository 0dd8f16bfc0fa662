//! The few SVG elements that a plot needs, with their style.

use std::fmt::Write;

/// Colours that those who see few tell apart too. Each class stands twice because CSS variables are not known everywhere.
const STYLE: &str = "\
text{font:12px ui-sans-serif,system-ui,-apple-system,'Segoe UI','DejaVu Sans',Helvetica,Arial,sans-serif}
.title{font-size:17px;font-weight:600}
.small{font-size:11px}
.end{text-anchor:end}
.middle{text-anchor:middle}
.line,.tick,.rule,.grid,.limit{fill:none}
.line{stroke-width:2;stroke-linejoin:round}
.part{stroke-dasharray:6 3}
.gap{stroke-dasharray:2 4}
.tick{stroke-width:1.5}
.rule{stroke-width:1}
.grid{stroke-width:1}
.limit{stroke-width:1.5;stroke-dasharray:8 4}
.label{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}
.paper{fill:#ffffff}.ink{fill:#1f2937}.soft{fill:#6b7280}
.label{stroke:#ffffff}
.whole{stroke:#0f766e}.part{stroke:#b45309}.tick,.limit{stroke:#b91c1c}.bad{fill:#b91c1c}
.rule{stroke:#9ca3af}.grid{stroke:#e5e7eb}
.window{fill:#7c3aed;fill-opacity:.14}.lens{fill:#0f766e;fill-opacity:.08}
.phase{fill:#e5e7eb}.back{fill:#fecaca}
@media (prefers-color-scheme:dark){
.paper{fill:#111827}.ink{fill:#f3f4f6}.soft{fill:#9ca3af}
.label{stroke:#111827}
.whole{stroke:#2dd4bf}.part{stroke:#fbbf24}.tick,.limit{stroke:#f87171}.bad{fill:#f87171}
.rule{stroke:#6b7280}.grid{stroke:#374151}
.window{fill:#a78bfa;fill-opacity:.22}.lens{fill:#2dd4bf;fill-opacity:.1}
.phase{fill:#374151}.back{fill:#7f1d1d}
}
";

/// A picture under way.
pub(super) struct Svg {
    text: String,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64, title: &str, description: &str) -> Self {
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\" aria-labelledby=\"title description\">\n"
        );
        let _ = writeln!(text, "<title id=\"title\">{}</title>", escape(title));
        let _ = writeln!(text, "<desc id=\"description\">{}</desc>", escape(description));
        let _ = writeln!(text, "<style>\n{STYLE}</style>");
        let mut svg = Self { text };
        svg.rect((0.0, 0.0), (width, height), "paper");
        svg
    }

    pub(super) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let _ = writeln!(self.text, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>", escape(text));
    }

    pub(super) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str) {
        let _ = writeln!(
            self.text,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\"/>"
        );
    }

    pub(super) fn path(&mut self, class: &str, path: &str) {
        let _ = writeln!(self.text, "<path class=\"{class}\" d=\"{path}\"/>");
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }
}

/// For text and attributes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// About how wide a text of 12 pixels is, rather too wide than too narrow.
pub(super) fn width(text: &str) -> f64 {
    text.chars().map(|c| if "fijlrtI.,:;|' ".contains(c) { 4.4 } else { 7.4 }).sum()
}
