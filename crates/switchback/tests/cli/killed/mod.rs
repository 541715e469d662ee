//! The real program, struck from outside at its system calls: killed, refused a call, or cut off from power.
//!
//! The program has no hook for any of this. `strace` strikes it at the call that is meant, a loop device forgets what was
//! not synced. Each scenario starts from the same prepared project ([`scene`]); afterwards [`judge`] says whether the tree
//! is wholly old or wholly new, and whether anything beside it changed. Names of tests say what the machine must have:
//! `needs_strace`, `needs_loop`.

mod aftermath;
mod damage;
mod image;
mod judge;
mod needs_loop;
mod needs_loop_probing;
mod needs_strace;
mod scene;
mod strace;
mod trial;
