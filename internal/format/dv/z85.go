package dv

import (
	"encoding/binary"
	"fmt"
)

const z85Alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

var z85Values = func() (t [256]uint8) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range len(z85Alphabet) {
		t[z85Alphabet[i]] = uint8(i)
	}
	return t
}()

// EncodeZ85 writes bytes in Z85 (ZeroMQ RFC 32). A length that is no multiple of
// four is padded with zero bytes; the reader cuts them off by the descriptor's size.
func EncodeZ85(data []byte) string {
	out := make([]byte, 0, (len(data)+3)/4*5)
	for len(data) > 0 {
		var block [4]byte
		data = data[copy(block[:], data):]
		v := binary.BigEndian.Uint32(block[:])
		var chars [5]byte
		for i := 4; i >= 0; i-- {
			chars[i] = z85Alphabet[v%85]
			v /= 85
		}
		out = append(out, chars[:]...)
	}
	return string(out)
}

// DecodeZ85 reads Z85 text; the length of the result is a multiple of four.
func DecodeZ85(text string) ([]byte, error) {
	if len(text)%5 != 0 {
		return nil, fmt.Errorf("z85: %d characters, want a multiple of 5", len(text))
	}
	out := make([]byte, 0, len(text)/5*4)
	for i := 0; i < len(text); i += 5 {
		var v uint64
		for j := i; j < i+5; j++ {
			d := z85Values[text[j]]
			if d == 0xff {
				return nil, fmt.Errorf("z85: character %q at %d is not in the alphabet", text[j], j)
			}
			v = v*85 + uint64(d)
		}
		if v > 0xffffffff {
			return nil, fmt.Errorf("z85: the group at %d is larger than 32 bits", i)
		}
		out = binary.BigEndian.AppendUint32(out, uint32(v))
	}
	return out, nil
}
