//! Charts, drawn as SVG.

use std::fmt::Write as _;

use maud::{Markup, html};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
/// Room for the figures at the left.
const LEFT: f64 = 64.0;
/// Room around the rest.
const MARGIN: f64 = 24.0;

/// A point of a line, in the chart's own units.
pub(super) type Point = (f64, f64);

/// A line or an area with its name. Its look is that of the CSS class.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) points: Vec<Point>,
}

/// A mark on an axis.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) label: String,
}

/// What all shapes of a chart share.
#[derive(Debug)]
pub(super) struct Frame {
    /// Names the chart, for those too who don't see it.
    pub(super) title: String,
    /// From where to where it reaches.
    pub(super) x: (f64, f64),
    /// What is at the bottom.
    pub(super) marks: Vec<Mark>,
}

impl Frame {
    /// Which part of a mark's label stands at the mark: labels at the ends stay inside.
    fn anchor(&self, mark: &Mark) -> &'static str {
        match mark.at {
            at if at <= self.x.0 => "start",
            at if at >= self.x.1 => "end",
            _ => "middle",
        }
    }
}

/// Lines over a common axis.
pub(super) fn lines(frame: &Frame, shapes: &[Shape]) -> Markup {
    let top = shapes.iter().flat_map(|shape| &shape.points).map(|point| point.1).fold(1.0, f64::max);
    let scale = Scale { x: frame.x, top };
    svg(frame, &scale, shapes, |shape| html! { path class={ "line " (shape.class) } d=(scale.path(&shape.points)) {} })
}

/// Areas, each on top of those before it.
pub(super) fn stacked(frame: &Frame, shapes: &[Shape]) -> Markup {
    let mut floor: Vec<f64> = vec![0.0; shapes.first().map_or(0, |shape| shape.points.len())];
    let mut areas = Vec::new();
    for shape in shapes {
        let below: Vec<Point> = shape.points.iter().zip(&floor).map(|((x, _), floor)| (*x, *floor)).collect();
        let above: Vec<Point> = shape.points.iter().zip(&floor).map(|((x, y), floor)| (*x, floor + y)).collect();
        floor = above.iter().map(|point| point.1).collect();
        areas.push(Shape {
            name: shape.name.clone(),
            class: shape.class,
            points: above.into_iter().chain(below.into_iter().rev()).collect(),
        });
    }
    let scale = Scale { x: frame.x, top: floor.into_iter().fold(1.0, f64::max) };
    svg(frame, &scale, &areas, |shape| {
        html! { path class={ "area " (shape.class) } d={ (scale.path(&shape.points)) "Z" } {} }
    })
}

/// From a chart's own units to the picture's.
struct Scale {
    x: (f64, f64),
    top: f64,
}

impl Scale {
    fn x(&self, x: f64) -> f64 {
        let (from, to) = self.x;
        let width = (to - from).max(f64::MIN_POSITIVE);
        LEFT + (WIDTH - LEFT - MARGIN) * ((x - from) / width).clamp(0.0, 1.0)
    }

    fn y(&self, y: f64) -> f64 {
        HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * (y / self.top)
    }

    fn path(&self, points: &[Point]) -> String {
        let mut path = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let letter = if index == 0 { 'M' } else { 'L' };
            // Writing to a string can't fail.
            let _unfailing = write!(path, "{letter}{:.1} {:.1}", self.x(*x), self.y(*y));
        }
        path
    }
}

fn svg(frame: &Frame, scale: &Scale, shapes: &[Shape], draw: impl Fn(&Shape) -> Markup) -> Markup {
    let (bottom, right) = (HEIGHT - MARGIN, WIDTH - MARGIN);
    html! {
        figure {
            figcaption { (frame.title) }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(frame.title) {
                @for part in [0.0, 0.5, 1.0] {
                    @let y = scale.y(scale.top * part);
                    line class="grid" x1=(LEFT) x2=(right) y1=(y) y2=(y) {}
                    text x=(LEFT - 8.0) y=(y + 4.0) text-anchor="end" { (format!("{:.0}", scale.top * part)) }
                }
                @for mark in &frame.marks {
                    text x=(scale.x(mark.at)) y=(bottom + 18.0) text-anchor=(frame.anchor(mark)) { (mark.label) }
                }
                @for shape in shapes { (draw(shape)) }
            }
            ul class="legend" {
                @for shape in shapes {
                    li { svg viewBox="0 0 16 8" aria-hidden="true" { rect class=(shape.class) width="16" height="8" {} } (shape.name) }
                }
            }
        }
    }
}
