//! Phases of a proof as lines of text, from the library's tracing spans.

use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;

use tracing::span::{Attributes, Id};
use tracing::{Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// Spans deeper than this are part of their parents.
const DEPTH_MAX: usize = 3;

/// Writes `phase DEPTH MICROSECONDS NAME` when a span closes and `begin DEPTH NAME` when it opens.
struct Phases<W>(Mutex<W>);

struct Started(Instant);

impl<S, W> Layer<S> for Phases<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Write + Send + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let depth = span.scope().count();
        if depth <= DEPTH_MAX {
            span.extensions_mut().insert(Started(Instant::now()));
            self.line(&format!("begin {depth} {}", attributes.metadata().name()));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let started = span.extensions().get::<Started>().map(|started| started.0.elapsed());
        if let Some(spent) = started {
            let depth = span.scope().count();
            self.line(&format!("phase {depth} {} {}", spent.as_micros(), span.name()));
        }
    }
}

impl<W: Write> Phases<W> {
    /// A reader that went away is no reason to stop proving.
    fn line(&self, text: &str) {
        if let Ok(mut out) = self.0.lock() {
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        }
    }
}

/// Reports phases to standard error from now on; false if something else listens already.
pub fn report_phases() -> bool {
    let layer = Phases(Mutex::new(std::io::stderr()));
    let filter = tracing_subscriber::filter::LevelFilter::from_level(Level::DEBUG);
    let subscriber = Registry::default().with(layer.with_filter(filter));
    tracing::subscriber::set_global_default(subscriber).is_ok()
}
