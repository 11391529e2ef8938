// Package ledger keeps an append-only log of small entries as a Merkle tree on
// disk, in the layout of C2SP tlog-tiles with a signed checkpoint (C2SP
// tlog-checkpoint, signed-note) and the hashes of RFC 6962:
//
//	checkpoint                    origin, size, root hash; Ed25519 signature
//	tile/<L>/<N>[.p/<W>]          hashes of level L, 256 to a tile
//	tile/entries/<N>[.p/<W>]      entries, each after its length in 16 bits
//
// # After a crash
//
// An append writes and syncs new tiles under names that the checkpoint on disk
// does not refer to, then replaces the checkpoint. The checkpoint decides: Open
// drops tiles beyond it. So after a crash at any moment the log holds every
// batch whose append had returned, once, and of the one batch that was being
// appended all or nothing; the caller finds out which by Log.Size. Entries of an
// append that did not return are never completed later.
//
// # What a log shows
//
// A log that Fsck passes holds exactly the entries that its key signed, in that
// order. It does not show that the holder of the key did not throw away an older
// log, nor that an earlier state of this log, whole and with its own checkpoint,
// was not put back: for that, keep checkpoints elsewhere and check consistency.
package ledger
