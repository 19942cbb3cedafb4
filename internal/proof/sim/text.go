package sim

import (
	"encoding/json"
	"net/url"
)

// fromTexts reads rows in canonical form.
func fromTexts(list []string) ([]row, error) {
	out := make([]row, len(list))
	for i, text := range list {
		var r struct {
			K *int    `json:"k"`
			P *string `json:"p"`
			V *int    `json:"v"`
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return nil, err
		}
		out[i] = row{r.K, r.P, r.V}
	}
	return out, nil
}

// unescaped is the key of a path in the log.
func unescaped(path string) string {
	if key, err := url.PathUnescape(path); err == nil {
		return key
	}
	return path
}
