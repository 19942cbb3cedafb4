package prose

import "testing"

func TestLayout(t *testing.T) {
	for _, c := range []struct{ name, got, want string }{
		{"wrap", Wrap("one two  three", "- ", "  ", 9), "- one two\n  three"},
		{"a long word stays whole", Wrap("a abcdefghijk b", "", "", 5), "a\nabcdefghijk\nb"},
		{"letters are counted, not bytes", Wrap("äö üß", "", "", 5), "äö üß"},
		{"nothing", Wrap("", " ", " ", 5), " "},
		{"paragraphs", Paragraphs("first line\nsecond", 6), "first\n  line\n  second"},
		{"indented", Indented("a\nb", "  "), "  a\n  b"},
		{"table", Table([]string{"name", "n"}, [][]string{{"é", "10"}, {"abcde", "1"}}, 1), "name    n\n-----  --\né      10\nabcde   1"},
		{"one", Plural(1, "file"), "1 file"},
		{"none", Plural(0, "file"), "0 files"},
		{"bytes", Bytes(1023) + ", " + Bytes(1<<10) + ", " + Bytes(5<<20) + ", " + Bytes(3<<30), "1023 B, 1.0 kB, 5.0 MB, 3.0 GB"},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, c.got, c.want)
		}
	}
}
