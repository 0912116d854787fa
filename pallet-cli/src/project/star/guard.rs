//! Guards evaluations: whatever a project does, the result is an error and never a crash of Pallet.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Once;

use starlark::codemap::{FileSpan, FileSpanRef};
use starlark::eval::{BeforeStmtFunc, BeforeStmtFuncDyn, Evaluator};

use super::function_error::FunctionError;
use super::limits::{Limits, MEMORY, too_much_memory};
use crate::diagnostic::Diagnostic;

/// Stack size of evaluation threads, in bytes: Starlark freezes, compares and prints values
/// recursively.
const STACK: usize = 256 << 20;

thread_local! {
    /// Number of guarded evaluations on this thread.
    static GUARDED: Cell<usize> = const { Cell::new(0) };
    /// The last guarded panic of this thread.
    static PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// A panic that was caught.
#[derive(Debug, Clone)]
struct Panic {
    message: String,
    file: String,
    line: u32,
}

/// Runs `work` on a thread with enough stack for deeply nested values and code. Returns an error if
/// it panics.
pub(crate) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Diagnostic> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("evaluation".into()).stack_size(STACK);
        match thread.spawn_scoped(scope, || guarded(work).map_err(|panic| panic.complaint())) {
            Ok(thread) => thread
                .join()
                .unwrap_or_else(|_| Err(FunctionError::new("the evaluation of the project ended"))),
            Err(error) => Err(FunctionError::new(format!(
                "cannot start a thread to evaluate the project: {error}"
            ))),
        }
    })
    .map_err(|complaint| Diagnostic::error(complaint.message).suggest(complaint.help))
}

/// Evaluates something within these limits. The error of a panic has the place of the current
/// statement.
pub(crate) fn evaluate<'v, 'a, 'e, T>(
    evaluator: &mut Evaluator<'v, 'a, 'e>,
    limits: Limits,
    work: impl FnOnce(&mut Evaluator<'v, 'a, 'e>) -> starlark::Result<T>,
) -> starlark::Result<T> {
    limits.apply(evaluator)?;
    guard(evaluator, work)
}

/// Evaluates something that already has limits.
pub(crate) fn guard<'v, 'a, 'e, T>(
    evaluator: &mut Evaluator<'v, 'a, 'e>,
    work: impl FnOnce(&mut Evaluator<'v, 'a, 'e>) -> starlark::Result<T>,
) -> starlark::Result<T> {
    let statements = Rc::new(RefCell::new(Statements::default()));
    evaluator.before_stmt_for_dap(BeforeStmtFunc::from_dyn(Box::new(Follow(statements.clone()))));
    let result = guarded(|| work(evaluator)).unwrap_or_else(|panic| {
        let mut error = starlark::Error::from(panic.complaint());
        if evaluator.call_stack_count() > 0 {
            error.set_call_stack(|| evaluator.call_stack());
        }
        Err(error)
    });
    let Statements { place, stopped } = statements.take();
    result.map_err(|error| {
        // Starlark checks again at the end, and that error has no place
        let mut error = stopped.unwrap_or(error);
        if let (None, Some(place)) = (error.span(), place) {
            error.set_span(place.span, &place.file);
        }
        error
    })
}

/// The statements that have run.
#[derive(Default)]
struct Statements {
    /// The last statement.
    place: Option<FileSpan>,
    /// The error that stopped the evaluation.
    stopped: Option<starlark::Error>,
}

/// Records the current statement, and stops the evaluation if it uses too much memory.
struct Follow(Rc<RefCell<Statements>>);

impl<'e> BeforeStmtFuncDyn<'e> for Follow {
    fn call<'v>(
        &mut self,
        span: FileSpanRef<'_>,
        _continued: bool,
        evaluator: &mut Evaluator<'v, '_, 'e>,
    ) -> starlark::Result<()> {
        let mut statements = self.0.borrow_mut();
        // Starlark itself checks only once in a thousand steps, and values may double in each
        if evaluator.heap().allocated_bytes() > MEMORY {
            let mut error = starlark::Error::from(too_much_memory());
            error.set_call_stack(|| evaluator.call_stack());
            statements.stopped.get_or_insert(error);
            return Err(too_much_memory().into());
        }
        statements.place = Some(span.to_file_span());
        Ok(())
    }
}

fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    keep_quiet();
    GUARDED.set(GUARDED.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(GUARDED.get() - 1);
    result.map_err(|payload| {
        // dropping the payload could panic again
        std::mem::forget(payload);
        PANIC.take().unwrap_or_else(|| Panic {
            message: "without a message".into(),
            file: String::new(),
            line: 0,
        })
    })
}

/// Keeps guarded panics off stderr: they are reported as errors.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match GUARDED.get() {
            0 => usual(info),
            _ => {
                let (file, line) = info
                    .location()
                    .map_or_else(Default::default, |place| (place.file().to_owned(), place.line()));
                PANIC.set(Some(Panic {
                    message: info.payload_as_str().unwrap_or("without a message").to_owned(),
                    file,
                    line,
                }));
            }
        }));
    });
}

impl Panic {
    fn complaint(&self) -> FunctionError {
        let too_big = ["overflow", "must not exceed", "too large", "capacity"];
        if too_big.iter().any(|word| self.message.contains(word)) {
            return FunctionError::new("a value is too large to be computed")
                .help("does a value double in each iteration of a loop?".to_owned());
        }
        FunctionError::new(format!(
            "internal error during evaluation: {} ({}:{})",
            self.message, self.file, self.line
        ))
        .help("this is a bug in Pallet; please report it with the code at this place".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::with_room;

    #[test]
    fn a_panic_that_is_no_matter_of_size_is_told_as_a_mistake_of_pallet() {
        let error = with_room(|| Vec::<u8>::new().swap_remove(0)).unwrap_err().one_line();
        assert!(
            error.starts_with("internal error during evaluation: swap_remove index"),
            "{error}"
        );
        assert!(error.ends_with("please report it with the code at this place"), "{error}");
        assert_eq!(with_room(|| 7).ok(), Some(7));
    }
}
