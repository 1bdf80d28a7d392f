//! Pictures of the table: a line for each engine by number of rules, and a bar for each module.
//! SVG, with its own white ground.

use std::fmt::Write as _;

use crate::SIZES;
use crate::table::{Row, Table};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
/// Left, right, top, bottom.
const MARGINS: [f64; 4] = [70.0, 190.0, 40.0, 50.0];
const OURS: &str = "#c2410c";
const OTHERS: [&str; 9] = [
    "#1d4ed8", "#0f766e", "#7c3aed", "#a16207", "#be185d", "#15803d", "#0369a1", "#6d28d9",
    "#4d7c0f",
];
const FONT: &str = r#"font-family="system-ui, sans-serif" font-size="12""#;

/// The time of a decision by number of rules, each engine in its better modelling. Both axes are
/// logarithmic.
#[must_use]
pub fn decide(table: &Table) -> String {
    let lines = lines(table);
    let times = lines.iter().flat_map(|line| line.points.iter().map(|(_, time)| *time));
    let (min, max) =
        times.fold((f64::INFINITY, 1.0_f64), |(min, max), time| (min.min(time), max.max(time)));
    let plot = Plot { decades: (min.log10().floor(), max.log10().ceil()) };
    let mut svg = plot.grid();
    let mut labels: Vec<(f64, &Line, &str)> = Vec::new();
    let mut colours = OTHERS.iter().cycle();
    for line in &lines {
        let colour = if line.is_ours { OURS } else { colours.next().unwrap() };
        let points: Vec<String> = line
            .points
            .iter()
            .map(|(rules, time)| format!("{:.1},{:.1}", plot.x(*rules), plot.y(*time)))
            .collect();
        let width = if line.is_ours { 3 } else { 1 };
        writeln!(
            svg,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#,
            points.join(" ")
        )
        .unwrap();
        for point in &points {
            let (x, y) = point.split_once(',').unwrap();
            writeln!(svg, r#"<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>"#).unwrap();
        }
        labels.extend(line.points.last().map(|(_, time)| (plot.y(*time), line, colour)));
    }
    // Names are at the ends of their lines, without overlap.
    labels.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let mut free = 0.0_f64;
    for (y, line, colour) in labels {
        let y = y.max(free);
        free = y + 14.0;
        let x = WIDTH - MARGINS[1] + 8.0;
        writeln!(
            svg,
            r#"<text x="{x}" y="{:.1}" fill="{colour}" {FONT}>{}</text>"#,
            y + 4.0,
            line.name
        )
        .unwrap();
    }
    framed("Time of a decision by number of rules", &svg, HEIGHT)
}

struct Line {
    name: String,
    is_ours: bool,
    points: Vec<(usize, f64)>,
}

fn lines(table: &Table) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for Row { name, how, rules, samples, .. } in
        table.rows.iter().filter(|row| row.group == "decide")
    {
        if how == "node package" {
            continue;
        }
        let is_ours = name == "scopegate";
        let is_modelling = how == "natural" || how == "best";
        let name = if is_modelling { name.clone() } else { format!("{name}, {how}") };
        let time = samples.median().value;
        let index = lines.iter().position(|line| line.name == name).unwrap_or_else(|| {
            lines.push(Line { name, is_ours, points: Vec::new() });
            lines.len() - 1
        });
        let points = &mut lines[index].points;
        match points.iter_mut().find(|(other, _)| other == rules) {
            Some((_, quicker)) => *quicker = quicker.min(time),
            None => points.push((*rules, time)),
        }
    }
    lines
}

/// The layout of a plot.
struct Plot {
    /// The powers of ten of the times.
    decades: (f64, f64),
}

impl Plot {
    fn x(&self, rules: usize) -> f64 {
        let (first, last) = ((SIZES[0] as f64).log10(), (SIZES[SIZES.len() - 1] as f64).log10());
        let part = ((rules as f64).log10() - first) / (last - first);
        MARGINS[0] + part * (WIDTH - MARGINS[0] - MARGINS[1])
    }

    fn y(&self, nanoseconds: f64) -> f64 {
        let (low, high) = self.decades;
        let part = (nanoseconds.log10() - low) / (high - low);
        HEIGHT - MARGINS[3] - part * (HEIGHT - MARGINS[2] - MARGINS[3])
    }

    fn grid(&self) -> String {
        let mut svg = String::new();
        let (left, right) = (MARGINS[0], WIDTH - MARGINS[1]);
        let mut decade = self.decades.0;
        while decade <= self.decades.1 {
            let (y, name) =
                (self.y(10_f64.powf(decade)), super::time(10_f64.powf(decade)).replace(".0 ", " "));
            writeln!(
                svg,
                r##"<line x1="{left}" x2="{right}" y1="{y:.1}" y2="{y:.1}" stroke="#e5e5e5"/>"##
            )
            .unwrap();
            writeln!(
                svg,
                r##"<text x="{}" y="{:.1}" text-anchor="end" fill="#525252" {FONT}>{name}</text>"##,
                left - 8.0,
                y + 4.0
            )
            .unwrap();
            decade += 1.0;
        }
        for rules in SIZES {
            let (x, y) = (self.x(rules), HEIGHT - MARGINS[3] + 20.0);
            writeln!(svg, r##"<text x="{x:.1}" y="{y}" text-anchor="middle" fill="#525252" {FONT}>{rules}</text>"##).unwrap();
        }
        let (x, y) = (f64::midpoint(left, right), HEIGHT - 12.0);
        writeln!(
            svg,
            r##"<text x="{x}" y="{y}" text-anchor="middle" fill="#525252" {FONT}>rules</text>"##
        )
        .unwrap();
        svg
    }
}

/// The bytes of each module, raw and after brotli; logarithmic.
#[must_use]
pub fn sizes(table: &Table) -> String {
    let rows: Vec<&Row> = table.rows.iter().filter(|row| row.group == "size").collect();
    let max =
        rows.iter().flat_map(|row| &row.samples.0).fold(1.0_f64, |max, bytes| max.max(*bytes));
    let (left, min) = (200.0, 1e4_f64.log10());
    let length = |bytes: f64| (bytes.log10() - min) / (max.log10() - min) * (WIDTH - left - 110.0);
    let mut svg = String::new();
    for (index, row) in rows.iter().enumerate() {
        let y = MARGINS[2] + 20.0 + index as f64 * 52.0;
        let is_ours = row.name.starts_with("scopegate");
        let colour = if is_ours { OURS } else { OTHERS[0] };
        writeln!(
            svg,
            r##"<text x="{}" y="{}" text-anchor="end" fill="#171717" {FONT}>{}</text>"##,
            left - 10.0,
            y + 20.0,
            row.name
        )
        .unwrap();
        for (offset, bytes, form, opacity) in
            [(0.0, row.samples.0.first(), "raw", 1.0), (17.0, row.samples.0.last(), "brotli", 0.55)]
        {
            let Some(bytes) = bytes else { continue };
            let (width, y) = (length(*bytes), y + offset);
            writeln!(svg, r#"<rect x="{left}" y="{y}" width="{width:.1}" height="14" fill="{colour}" opacity="{opacity}"/>"#).unwrap();
            writeln!(
                svg,
                r##"<text x="{:.1}" y="{}" fill="#525252" {FONT}>{:.0} KB {form}</text>"##,
                left + width + 6.0,
                y + 11.0,
                bytes / 1e3
            )
            .unwrap();
        }
    }
    framed("Bytes of each module", &svg, MARGINS[2] + 30.0 + rows.len() as f64 * 52.0)
}

fn framed(title: &str, content: &str, height: f64) -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">
<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
<text x="20" y="24" fill="#171717" font-family="system-ui, sans-serif" font-size="15" font-weight="600">{title}</text>
{content}</svg>
"##
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_has_a_line_and_every_module_a_bar() {
        let text = "decide,scopegate,native,10,10\ndecide,scopegate,native,100,20\ndecide,cedar,best,10,2000\ndecide,cedar,natural,10,9000\n\
                    size,scopegate engine,module,0,41000 20000 13000\n";
        let table: Table = text.parse().unwrap();
        let (decide, sizes) = (decide(&table), sizes(&table));
        assert_eq!(
            (decide.matches("<polyline").count(), decide.matches("<circle").count()),
            (2, 3)
        );
        assert_eq!(sizes.matches("<rect").count(), 3);
        assert!(decide.contains(">scopegate, native<") && decide.contains(">cedar<"), "{decide}");
    }
}
