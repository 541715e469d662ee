//! One open session with what is known of it: how it speaks, where the state stands, whether a transaction is open.

use super::dialect::Dialect;
use crate::port::{FirstValue, PortError, SchemaSession, StatementError};
use crate::world::Clock;

/// How long another session that changes the schema is waited for, in seconds.
pub(super) const LOCK_WAIT_SECONDS: u64 = 30;
/// How long lies between two looks, in milliseconds.
const LOCK_LOOK_MS: u64 = 100;
/// The lock of PostgreSQL that is Switchback's, one in each database: two numbers of no meaning.
const LOCK: &str = "(1937203811, 1)";

/// A session.
#[derive(Debug)]
pub(super) struct Link<'a> {
    /// `None` while another program has the file.
    session: Option<Box<dyn SchemaSession>>,
    pub(super) dialect: Dialect,
    /// The schema in which the state stands, where names need one.
    pub(super) home: Option<String>,
    in_transaction: bool,
    is_read_only: bool,
    clock: &'a dyn Clock,
}

impl<'a> Link<'a> {
    pub(super) fn new(
        session: Box<dyn SchemaSession>,
        dialect: Dialect,
        is_read_only: bool,
        clock: &'a dyn Clock,
    ) -> Result<Self, StatementError> {
        let mut link =
            Self { session: Some(session), dialect, home: None, in_transaction: false, is_read_only, clock };
        if let Some(query) = dialect.home() {
            link.home = link.first(query)?.text();
        }
        Ok(link)
    }

    fn session(&mut self) -> Result<&mut dyn SchemaSession, StatementError> {
        match &mut self.session {
            Some(session) => Ok(session.as_mut()),
            None => Err(StatementError {
                message: "the database was closed".to_owned(),
                offset: None,
                is_cut: true,
            }),
        }
    }

    /// Lets go of the database until [`Link::reopen`].
    pub(super) fn close(&mut self) {
        self.session = None;
    }

    pub(super) fn reopen(&mut self, session: Box<dyn SchemaSession>) {
        self.session = Some(session);
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// The table of the state, as SQL names it.
    pub(super) fn state(&self) -> String {
        self.dialect.state(self.home.as_deref())
    }

    pub(super) fn run(&mut self, statement: &str) -> Result<(), StatementError> {
        self.session()?.run(statement)
    }

    pub(super) fn rows(
        &mut self,
        query: &str,
        take: &mut dyn FnMut(&[Option<String>]) -> bool,
    ) -> Result<(), StatementError> {
        self.session()?.rows(query, take)
    }

    pub(super) fn first(&mut self, query: &str) -> Result<FirstValue, StatementError> {
        self.session()?.first(query)
    }

    /// The number that a query gives; 0 where it gives none.
    pub(super) fn number(&mut self, query: &str) -> Result<u64, StatementError> {
        let mut number = 0;
        self.rows(query, &mut |cells| {
            number = cells.first().cloned().flatten().and_then(|text| text.parse().ok()).unwrap_or(0);
            false
        })?;
        Ok(number)
    }

    /// Makes the session as a new one.
    pub(super) fn freshen(&mut self) -> Result<(), StatementError> {
        self.dialect.fresh().iter().try_for_each(|statement| self.run(statement))
    }

    pub(super) fn begin(&mut self) -> Result<(), StatementError> {
        self.run(self.dialect.begin(self.is_read_only))?;
        self.in_transaction = true;
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Result<(), StatementError> {
        let done = self.run("COMMIT");
        self.in_transaction = false;
        if done.is_err() {
            // Some databases leave a transaction open that could not be ended.
            drop(self.run("ROLLBACK"));
        }
        done
    }

    /// Takes back what is open. What failed before is what tells; a connection that is gone has taken it back by itself.
    pub(super) fn roll_back(&mut self) {
        if std::mem::take(&mut self.in_transaction) {
            drop(self.run("ROLLBACK"));
        }
    }

    /// Does `work` in a transaction of its own, or in the one that is open.
    pub(super) fn within<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StatementError>,
    ) -> Result<T, StatementError> {
        if self.in_transaction {
            return work(self);
        }
        self.begin()?;
        match work(self) {
            Ok(done) => {
                self.commit()?;
                Ok(done)
            }
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    /// Does `work` while every value is written as text in one way.
    pub(super) fn with_texts<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StatementError>,
    ) -> Result<T, StatementError> {
        let Some((set, back)) = self.dialect.texts_as_one() else { return self.within(work) };
        self.within(|link| {
            link.run(&set)?;
            let done = work(link)?;
            link.run(&back)?;
            Ok(done)
        })
    }

    /// A point that [`Link::back_to_mark`] leads back to.
    pub(super) fn mark(&mut self) -> Result<(), StatementError> {
        if self.dialect.has_savepoints() { self.run("SAVEPOINT switchback_mark") } else { Ok(()) }
    }

    /// Takes back all since [`Link::mark`]. Without such points the transaction begins anew, which is the same where nobody else
    /// can write meanwhile.
    pub(super) fn back_to_mark(&mut self) -> Result<(), StatementError> {
        if self.dialect.has_savepoints() {
            return self.run("ROLLBACK TO SAVEPOINT switchback_mark");
        }
        self.roll_back();
        self.begin()
    }

    /// Keeps everybody else from changing schemas of this database, for as long as the session lives. Files are locked
    /// elsewhere.
    pub(super) fn lock(&mut self, name: &str) -> Result<(), PortError> {
        if self.dialect != Dialect::Postgresql {
            return Ok(());
        }
        let failed =
            |causes: Vec<String>| PortError::new(format!("could not lock the schema of `{name}`"), causes);
        let until = self.clock.monotonic() + std::time::Duration::from_secs(LOCK_WAIT_SECONDS);
        loop {
            let got = self.first(&format!("SELECT pg_try_advisory_lock{LOCK}::text"));
            match got.map_err(|error| failed(vec![error.message]))? {
                FirstValue::Text(word) if word == "true" => return Ok(()),
                _ if self.clock.monotonic() > until => {
                    let holder = "SELECT string_agg(pid::text, ', ') FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted \
                                  AND classid = 1937203811 AND objid = 1 AND database = (SELECT oid FROM pg_catalog.pg_database \
                                  WHERE datname = current_database())";
                    let pid = self.first(holder).ok().and_then(FirstValue::text).unwrap_or_default();
                    let why =
                        format!("the server's process {pid} holds it for longer than {LOCK_WAIT_SECONDS} s");
                    return Err(failed(vec![why]).hinted(
                        "somebody else changes this schema: wait until that has ended; `SELECT pg_terminate_backend(PID)` ends a \
                         session that nobody is behind any more",
                    ));
                }
                _ => self.clock.sleep(std::time::Duration::from_millis(LOCK_LOOK_MS)),
            }
        }
    }
}
