package storage

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxKey is the longest key that every store accepts (1,024 bytes of UTF-8).
const maxKey = 1024

// CheckKey reports why a key cannot name an object: keys are relative,
// slash-separated, valid UTF-8, without empty, "." or ".." segments and
// without NUL. The error is ErrInvalidKey with the reason.
func CheckKey(key string) error {
	if key == "" {
		return fmt.Errorf("%w: it is empty", ErrInvalidKey)
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch segment {
		case "":
			return fmt.Errorf("%w %q: a segment is empty (a leading, trailing or doubled slash)", ErrInvalidKey, key)
		case ".", "..":
			return fmt.Errorf("%w %q: the segment %q would leave its place", ErrInvalidKey, key, segment)
		}
	}
	return checkText(key)
}

// checkPrefix is CheckKey for what List takes: the last segment may be
// empty or incomplete, and the whole may be empty.
func checkPrefix(prefix string) error {
	dir, _, nested := cutLast(prefix)
	if nested {
		if err := CheckKey(dir); err != nil {
			return err
		}
	}
	return checkText(prefix)
}

func checkText(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrInvalidKey, len(key), maxKey)
	}
	if strings.IndexByte(key, 0) >= 0 {
		return fmt.Errorf("%w %q: it contains NUL", ErrInvalidKey, key)
	}
	if !utf8.ValidString(key) {
		return fmt.Errorf("%w %q: it is not valid UTF-8", ErrInvalidKey, key)
	}
	return nil
}

// cutLast splits at the last slash.
func cutLast(key string) (dir, base string, nested bool) {
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		return key[:i], key[i+1:], true
	}
	return "", key, false
}
