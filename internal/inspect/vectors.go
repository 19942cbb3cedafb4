package inspect

import (
	"fmt"

	"github.com/sluicelake/sluice/internal/format/dv"
)

// shownRanges is how many runs of positions a vector lists among others.
const shownRanges = 5

// vectors reads a file of deletion vectors, or the one that was asked for.
func (r *reader) vectors() error {
	if o := r.opts; o.Offset != nil {
		e, err := dv.EntryAt(r.at, r.file.Size, *o.Offset, *o.Size, o.limit())
		if err != nil {
			if isStoreError(err) {
				return err
			}
			r.file.problem(fmt.Sprintf("byte %d", *o.Offset), "%v", err)
		}
		r.file.Kind = KindVectors
		r.file.Vectors = []dv.Entry{e}
		if e.Problem != "" && err == nil {
			r.file.problem(fmt.Sprintf("byte %d", e.Offset), "%s", e.Problem)
		}
		return nil
	}
	more := 0
	err := dv.Survey(r.at, r.file.Size, shownRanges, func(e dv.Entry) bool {
		if e.Problem != "" {
			r.file.problem(fmt.Sprintf("byte %d", e.Offset), "the vector of %d bytes: %s", e.Size, e.Problem)
		}
		if len(r.file.Vectors) < r.opts.limit() {
			r.file.Vectors = append(r.file.Vectors, e)
		} else {
			more++
		}
		return r.ctx.Err() == nil
	}, func(from, to int64, why string) {
		r.file.problem(fmt.Sprintf("bytes %d to %d", from, to), "no vector: %s", why)
	})
	if more > 0 {
		r.file.note("%d more vectors are not listed", more)
	}
	return err
}
