//! The picture: all frames beside each other, each distinct row drawn once, moved past a window by CSS.
//!
//! ```text
//! window        film, to the left in steps -->
//! [frame 1] frame 2  frame 3 ...             a frame: <use> of its rows
//! ```
//! No script and no font from elsewhere: such a picture is shown in a README. The lines that bars are made of are drawn, since
//! few fonts join them.

use std::collections::HashMap;
use std::fmt::Write;

use super::film::{Film, Look, Row, Run};
use super::palette::{DARK, LIGHT, Palette};

/// Of a character cell, in pixels.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 19.0;
/// Of the font, and where its base line lies in the cell.
const FONT: f64 = 14.0;
const BASE: f64 = 14.0;
/// Around all.
const MARGIN: f64 = 14.0;
/// How long the last frame is seen before the film begins anew, in seconds.
const HOLD: f64 = 6.0;

/// `film` as an SVG; `title` is for those who do not see it.
pub(crate) fn draw(film: &Film, title: &str) -> String {
    let (width, height) = (f64::from(film.columns) * WIDTH, f64::from(film.rows) * HEIGHT);
    let mut numbers: HashMap<&Row, usize> = HashMap::new();
    let (mut rows, mut strip) = (String::new(), String::new());
    for (frame, (_, lines)) in film.frames.iter().enumerate() {
        let _ = write!(strip, "<g transform=\"translate({})\">", number(frame as f64 * width));
        for (line, row) in lines.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
            let known = numbers.len();
            let id = *numbers.entry(row).or_insert_with(|| {
                let _ = writeln!(rows, "<g id=\"r{known}\">{}</g>", row.iter().map(run).collect::<String>());
                known
            });
            let _ = write!(strip, "<use href=\"#r{id}\" y=\"{}\"/>", number(line as f64 * HEIGHT));
        }
        strip += "</g>\n";
    }
    let (outer, tall) = (number(width + 2.0 * MARGIN), number(height + 2.0 * MARGIN));
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {outer} {tall}\" width=\"{outer}\" height=\"{tall}\" \
         role=\"img\">\n<title>{title}</title>\n<style>\n{}</style>\n<defs>\n{rows}</defs>\n<rect class=\"page\" x=\".5\" y=\".5\" \
         width=\"{}\" height=\"{}\" rx=\"8\"/>\n<svg x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{}\" height=\"{}\"><g class=\"film\">\n\
         {strip}</g></svg>\n</svg>\n",
        style(film, width),
        number(width + 2.0 * MARGIN - 1.0),
        number(height + 2.0 * MARGIN - 1.0),
        number(width),
        number(height),
    )
}

fn style(film: &Film, width: f64) -> String {
    let begun = film.frames.first().map_or(0.0, |(at, _)| *at);
    let whole = film.frames.last().map_or(0.0, |(at, _)| at - begun) + HOLD;
    let mut style = format!(
        "{}@media (prefers-color-scheme:dark){{\n{}}}\n\
         text{{font:{FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;white-space:pre;fill:var(--t)}}\n\
         .page{{fill:var(--b);stroke:var(--e)}}\nrect{{fill:var(--t)}}\n.bold{{font-weight:bold}}\n.dim{{opacity:.45}}\n",
        colours(&LIGHT),
        colours(&DARK)
    );
    for colour in 0..16 {
        let used = |run: &Run| run.look.colour == Some(colour);
        if film.frames.iter().any(|(_, rows)| rows.iter().flatten().any(used)) {
            let _ = writeln!(style, ".c{colour}{{fill:var(--c{colour})}}");
        }
    }
    let last = film.frames.len().saturating_sub(1) as f64 * -width;
    style += ".film{animation:film ";
    let _ = writeln!(style, "{}s step-end infinite}}", number(whole));
    let _ = writeln!(
        style,
        "@media (prefers-reduced-motion:reduce){{.film{{animation:none;transform:translateX({}px)}}}}",
        number(last)
    );
    style += "@keyframes film{";
    for (frame, (at, _)) in film.frames.iter().enumerate() {
        let (when, left) = ((at - begun) / whole * 100.0, frame as f64 * -width);
        let _ = write!(style, "{when:.2}%{{transform:translateX({}px)}}", number(left));
    }
    style + "}\n"
}

fn colours(palette: &Palette) -> String {
    let Palette { background, edge, text, colours } = palette;
    let colours: String = (0..).zip(colours).map(|(index, colour): (u8, _)| format!("--c{index}:{colour};")).collect();
    format!("svg{{--b:{background};--e:{edge};--t:{text};{colours}}}\n")
}

/// Text, or the lines of a bar.
fn run(run: &Run) -> String {
    let x = f64::from(run.column) * WIDTH;
    if run.text.chars().all(|c| "━╸─".contains(c)) {
        return bar(&run.text, x, run.look);
    }
    let columns = run.text.chars().count();
    format!(
        "<text x=\"{}\" y=\"{}\" textLength=\"{}\"{}>{}</text>",
        number(x),
        number(BASE),
        number(columns as f64 * WIDTH),
        class(run.look),
        escaped(&run.text)
    )
}

fn bar(text: &str, mut x: f64, look: Look) -> String {
    let mut drawn = String::new();
    let chars: Vec<char> = text.chars().collect();
    for piece in chars.chunk_by(|a, b| a == b) {
        let columns = piece.len() as f64;
        let (high, wide) = match piece[0] {
            '━' => (4.0, columns * WIDTH),
            '╸' => (4.0, columns * WIDTH / 2.0),
            _ => (1.0, columns * WIDTH),
        };
        let y = (HEIGHT - high) / 2.0;
        let class = class(look);
        let (left, y, wide) = (number(x), number(y), number(wide));
        let _ = write!(drawn, "<rect x=\"{left}\" y=\"{y}\" width=\"{wide}\" height=\"{high}\"{class}/>");
        x += columns * WIDTH;
    }
    drawn
}

fn class(look: Look) -> String {
    let colour = look.colour.map(|colour| format!("c{colour}"));
    let names = [colour, look.bold.then(|| "bold".to_owned()), look.dim.then(|| "dim".to_owned())];
    let names: Vec<String> = names.into_iter().flatten().collect();
    if names.is_empty() { String::new() } else { format!(" class=\"{}\"", names.join(" ")) }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// To a tenth of a pixel.
fn number(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
