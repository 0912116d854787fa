//! Records: the events of an operation, numbered and timed, and the sinks that receive them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Number, Value};
use uuid::Uuid;

use super::event::Event;

/// An event of an operation, with its number and its time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The operation's ID. IDs of later operations sort later.
    pub operation: String,
    /// Its number among the operation's records, from 1.
    pub sequence: u64,
    /// When it happened: RFC 3339, UTC.
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    pub time: SystemTime,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What every record has.
#[derive(Deserialize)]
struct Stamp {
    operation: String,
    sequence: u64,
    #[serde(deserialize_with = "read_time")]
    time: SystemTime,
}

impl Record {
    /// Parses a line of JSON; `None` if only a newer Pallet knows the event.
    pub fn parse(line: &str) -> Result<Option<Self>, serde_json::Error> {
        // In a program that asks serde_json for `arbitrary_precision`, as starlark does, a number
        // of a flattened type can only be read from a plain value.
        let mut fields: Map<String, Value> = serde_json::from_str(line)?;
        fields.values_mut().for_each(make_plain);
        // and it is read slowly, so that its fields are taken apart here
        let mut stamp = Map::new();
        for name in ["operation", "sequence", "time"] {
            stamp.extend(fields.remove_entry(name));
        }
        let Stamp { operation, sequence, time } = serde_json::from_value(stamp.into())?;
        let event = serde_json::from_value(fields.into())?;
        Ok(match event {
            Event::Unknown => None,
            event => Some(Record { operation, sequence, time, event }),
        })
    }
}

/// Receives the records of operations, one at a time and in order. It is called from several
/// threads, and the operation waits for it.
pub trait Sink: Send + Sync {
    /// Receives a record.
    fn receive(&self, record: &Record);

    /// Whether it can [commit](Sink::commit) records.
    fn is_durable(&self) -> bool {
        false
    }

    /// Makes all records that it received so far survive a crash. The operation asks for this after
    /// the record of each change that it is about to make, and makes the change only if it
    /// succeeds. It may block.
    fn commit(&self) -> Result<(), String> {
        Ok(())
    }
}

impl<F: Fn(&Record) + Send + Sync> Sink for F {
    fn receive(&self, record: &Record) {
        self(record);
    }
}

/// Turns the events of one operation into records.
pub(in crate::engine) struct Recorder {
    operation: String,
    state: Mutex<State>,
    /// The number of the last record that all sinks committed.
    committed: tokio::sync::Mutex<u64>,
}

#[derive(Default)]
struct State {
    sequence: u64,
    /// An operation uses this recorder.
    taken: bool,
    started: bool,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder {
            operation: Uuid::now_v7().to_string(),
            state: Mutex::default(),
            committed: tokio::sync::Mutex::default(),
        }
    }
}

impl Recorder {
    /// Sends a record of the event to all sinks.
    pub(in crate::engine) fn record(&self, event: Event, sinks: &[Arc<dyn Sink>]) {
        let mut state = self.state();
        state.sequence += 1;
        state.started |= matches!(event, Event::Started { .. });
        if sinks.is_empty() {
            return;
        }
        let record = Record {
            operation: self.operation.clone(),
            sequence: state.sequence,
            time: SystemTime::now(),
            event,
        };
        // under the lock, so that each sink receives the records in order; what is shown is kept
        for durable in [true, false] {
            let sinks = sinks.iter().filter(|sink| sink.is_durable() == durable);
            sinks.for_each(|sink| sink.receive(&record));
        }
    }

    /// Returns once all records so far are committed by all sinks. Changes that begin at the same
    /// time share one commit.
    pub(in crate::engine) async fn commit(&self, sinks: &[Arc<dyn Sink>]) -> Result<(), String> {
        let durable: Vec<_> = sinks.iter().filter(|sink| sink.is_durable()).cloned().collect();
        if durable.is_empty() {
            return Ok(());
        }
        let wanted = self.state().sequence;
        let mut committed = self.committed.lock().await;
        if *committed >= wanted {
            return Ok(());
        }
        let reached = self.state().sequence;
        let work = move || durable.iter().try_for_each(|sink| sink.commit());
        tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())??;
        *committed = reached;
        Ok(())
    }

    /// Claims the recorder for an operation; `false` if another one has it.
    pub(in crate::engine) fn take(&self) -> bool {
        !std::mem::replace(&mut self.state().taken, true)
    }

    /// Whether the operation got as far as starting.
    pub(in crate::engine) fn has_started(&self) -> bool {
        self.state().started
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes all fractions in their usual form.
fn make_plain(value: &mut Value) {
    match value {
        Value::Number(number) if !number.is_u64() && !number.is_i64() => {
            if let Some(plain) = number.as_f64().and_then(Number::from_f64) {
                *number = plain;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_plain),
        Value::Object(fields) => fields.values_mut().for_each(make_plain),
        _ => {}
    }
}

fn write_time<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(*time))
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    humantime::parse_rfc3339(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_numbered_and_can_be_read_back() {
        let received: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = received.clone();
        let sink = move |record: &Record| {
            lines.lock().unwrap().push(serde_json::to_string(record).unwrap());
        };
        let (recorder, sinks) = (Recorder::default(), [Arc::new(sink) as Arc<dyn Sink>]);
        assert!(!recorder.has_started());
        let nodes = vec!["web-1".to_owned()];
        recorder.record(
            Event::Started { kind: super::super::Kind::Lift, dry_run: true, nodes },
            &sinks,
        );
        recorder.record(Event::Connected { node: "web-1".to_owned() }, &sinks);
        assert!(recorder.has_started());
        let lines = received.lock().unwrap();
        let read = |line: &String| Record::parse(line).unwrap().unwrap();
        let records: Vec<_> = lines.iter().map(read).collect();
        assert_eq!(records.iter().map(|record| record.sequence).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(records[0].operation, records[1].operation);
        assert!(matches!(&records[0].event, Event::Started { dry_run: true, .. }));
        assert!(matches!(&records[1].event, Event::Connected { node } if node == "web-1"));
        let again = |record: &Record| serde_json::to_string(record).unwrap();
        assert_eq!(records.iter().map(again).collect::<Vec<_>>(), *lines);
    }

    #[test]
    fn an_unknown_event_is_skipped() {
        let line = r#"{"operation":"o","sequence":7,"time":"2026-01-31T12:00:00.000Z",
            "event":"teleported","node":"web-1","from":{"here":[1]}}"#;
        assert!(Record::parse(line).unwrap().is_none());
        assert!(Record::parse("{}").is_err());
    }

    #[test]
    fn numbers_are_read_in_every_form() {
        for (text, seconds) in [("1.50", 1.5), ("2", 2.0), ("1e-3", 0.001)] {
            let line = format!(
                r#"{{"operation":"o","sequence":1,"time":"2026-01-31T12:00:00Z",
                "event":"finished","ok":true,"changed":3,"seconds":{text}}}"#
            );
            let record = Record::parse(&line).unwrap().unwrap();
            let Event::Finished { totals, seconds: read } = record.event else {
                panic!("{record:?}")
            };
            assert_eq!((read, totals.changed), (seconds, 3));
        }
    }
}
