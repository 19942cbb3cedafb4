package eval

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

func init() {
	register(map[string]func(*call) (arrow.Array, error){"aes_encrypt": aesEncrypt, "aes_decrypt": aesDecrypt, "try_aes_decrypt": aesDecrypt})
}

// aesText reads the arguments that both directions share: key, mode, padding, and
// from the given place on the additional data.
func (c *call) aesText(k int, otherwise string) func(int) string {
	if c.has(k) {
		return c.str(k)
	}
	return func(int) string { return otherwise }
}

// aesMode is the mode and a cipher for a key; the padding has to go with the mode.
func aesMode(key, mode, padding string) (string, cipher.Block, error) {
	mode, padding = strings.ToUpper(mode), strings.ToUpper(padding)
	fits := padding == "DEFAULT" || padding == map[string]string{"GCM": "NONE", "ECB": "PKCS", "CBC": "PKCS"}[mode]
	if mode != "GCM" && mode != "ECB" && mode != "CBC" || !fits {
		return "", nil, failf("UNSUPPORTED_FEATURE.AES_MODE", "AES is GCM without padding, or ECB or CBC with PKCS padding, not %s with %s", mode, padding)
	}
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return "", nil, failf("INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", "a key of AES has 16, 24 or 32 bytes, not %d", len(key))
	}
	return mode, block, nil
}

// ivOf is the initialisation vector: as given, or at random.
func ivOf(given string, size int) ([]byte, error) {
	if given == "" {
		iv := make([]byte, size)
		_, err := rand.Read(iv)
		return iv, err
	}
	if len(given) != size {
		return nil, failf("INVALID_PARAMETER_VALUE.AES_IV_LENGTH", "the initialisation vector has %d bytes, not %d", size, len(given))
	}
	return []byte(given), nil
}

func aesEncrypt(c *call) (arrow.Array, error) {
	s, key, mode, padding, iv, aad := c.str(0), c.str(1), c.aesText(2, "GCM"), c.aesText(3, "DEFAULT"), c.aesText(4, ""), c.aesText(5, "")
	return c.strings(func(i int) (string, error) {
		m, block, err := aesMode(key(i), mode(i), padding(i))
		if err != nil {
			return "", err
		}
		if m == "GCM" {
			nonce, err := ivOf(iv(i), 12)
			if err != nil {
				return "", err
			}
			gcm, err := cipher.NewGCM(block)
			if err != nil {
				return "", err
			}
			return string(gcm.Seal(nonce, nonce, []byte(s(i)), []byte(aad(i)))), nil
		}
		gap := aes.BlockSize - len(s(i))%aes.BlockSize
		plain := append([]byte(s(i)), strings.Repeat(string(rune(gap)), gap)...)
		if m == "ECB" {
			for k := 0; k < len(plain); k += aes.BlockSize {
				block.Encrypt(plain[k:], plain[k:k+aes.BlockSize])
			}
			return string(plain), nil
		}
		vector, err := ivOf(iv(i), aes.BlockSize)
		if err != nil {
			return "", err
		}
		cipher.NewCBCEncrypter(block, vector).CryptBlocks(plain, plain)
		return string(vector) + string(plain), nil
	})
}

func aesDecrypt(c *call) (arrow.Array, error) {
	s, key, mode, padding, aad := c.str(0), c.str(1), c.aesText(2, "GCM"), c.aesText(3, "DEFAULT"), c.aesText(4, "")
	return c.strings(func(i int) (string, error) {
		m, block, err := aesMode(key(i), mode(i), padding(i))
		if err == nil {
			var out string
			if out, err = opened(m, block, []byte(s(i)), []byte(aad(i))); err == nil {
				return out, nil
			}
		}
		if c.node.Fn == "try_aes_decrypt" {
			return "", errNull
		}
		return "", err
	})
}

// opened is aes_decrypt of one value.
func opened(mode string, block cipher.Block, sealed, aad []byte) (string, error) {
	wrong := failf("INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "the value does not decrypt with this key")
	if mode == "GCM" {
		gcm, err := cipher.NewGCM(block)
		if err != nil || len(sealed) < 12 {
			return "", wrong
		}
		out, err := gcm.Open(nil, sealed[:12], sealed[12:], aad)
		if err != nil {
			return "", wrong
		}
		return string(out), nil
	}
	var vector []byte
	if mode == "CBC" {
		if len(sealed) < aes.BlockSize {
			return "", wrong
		}
		vector, sealed = sealed[:aes.BlockSize], sealed[aes.BlockSize:]
	}
	if len(sealed) == 0 || len(sealed)%aes.BlockSize != 0 {
		return "", wrong
	}
	out := make([]byte, len(sealed))
	if mode == "CBC" {
		cipher.NewCBCDecrypter(block, vector).CryptBlocks(out, sealed)
	} else {
		for k := 0; k < len(out); k += aes.BlockSize {
			block.Decrypt(out[k:], sealed[k:k+aes.BlockSize])
		}
	}
	gap := int(out[len(out)-1])
	if gap < 1 || gap > aes.BlockSize {
		return "", wrong
	}
	for _, b := range out[len(out)-gap:] {
		if int(b) != gap {
			return "", wrong
		}
	}
	return string(out[:len(out)-gap]), nil
}
