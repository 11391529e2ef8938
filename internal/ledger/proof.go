package ledger

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// ProveInclusion returns the RFC 6962 audit path of the entry with the given
// index in the tree of the reader's checkpoint.
func (r *Reader) ProveInclusion(index int64) (tlog.RecordProof, error) {
	proof, err := tlog.ProveRecord(r.point.Size, index, r.hashes())
	if err != nil {
		return nil, fmt.Errorf("prove inclusion of entry %d: %w", index, err)
	}
	return proof, nil
}

// CheckInclusion checks that the log at the checkpoint c holds entry at index.
// The caller has verified the signature of c.
func CheckInclusion(proof tlog.RecordProof, c Checkpoint, index int64, entry []byte) error {
	if index < 0 || index >= c.Size {
		return fmt.Errorf("check inclusion: no entry %d among %d", index, c.Size)
	}
	if err := tlog.CheckRecord(proof, c.Size, c.Root, index, tlog.RecordHash(entry)); err != nil {
		return fmt.Errorf("check inclusion of entry %d: %w", index, err)
	}
	return nil
}

// ProveConsistency returns the RFC 6962 proof that the reader's log begins with
// the same oldSize entries as when it had no more.
func (r *Reader) ProveConsistency(oldSize int64) (tlog.TreeProof, error) {
	if oldSize == 0 {
		return tlog.TreeProof{}, nil
	}
	proof, err := tlog.ProveTree(r.point.Size, oldSize, r.hashes())
	if err != nil {
		return nil, fmt.Errorf("prove consistency with size %d: %w", oldSize, err)
	}
	return proof, nil
}

// CheckConsistency checks that the log at the checkpoint now is that at the
// checkpoint old with nothing but entries added at the end. The caller has
// verified both signatures.
func CheckConsistency(proof tlog.TreeProof, now, old Checkpoint) error {
	if now.Origin != old.Origin {
		return fmt.Errorf("check consistency: two logs, %q and %q", now.Origin, old.Origin)
	}
	if old.Size == 0 {
		if len(proof) != 0 || old.Root != new(edge).root() {
			return fmt.Errorf("check consistency: malformed checkpoint or proof of an empty log")
		}
		return nil
	}
	if old.Size > now.Size {
		return fmt.Errorf("check consistency: the log shrank from %d to %d entries", old.Size, now.Size)
	}
	if err := tlog.CheckTree(proof, now.Size, now.Root, old.Size, old.Root); err != nil {
		return fmt.Errorf("check consistency with size %d: %w", old.Size, err)
	}
	return nil
}
