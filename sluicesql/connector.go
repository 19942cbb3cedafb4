package sluicesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"

	"github.com/sluicelake/sluice"
)

func init() { sql.Register("sluice", &Driver{}) }

// ErrTransactions is the error of Begin: a transaction over several statements,
// which could change several tables, is not possible with Delta tables. Each
// statement commits by itself, or not at all; sluice.Table.Begin is a transaction
// of several steps on one table.
var ErrTransactions = errors.New("sluice has no transactions over several statements: each statement commits its one table by itself, or not at all; use sluice.Table.Begin for a transaction of several steps on one table")

// Driver is the driver "sluice" of database/sql.
type Driver struct{}

// Open is part of driver.Driver; database/sql uses OpenConnector.
func (d *Driver) Open(dsn string) (driver.Conn, error) {
	c, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	conn, err := c.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	return &ownConn{conn.(*connection), c.(*connector)}, nil
}

// OpenConnector is part of driver.DriverContext.
func (d *Driver) OpenConnector(dsn string) (driver.Connector, error) {
	c, err := ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	return &connector{driver: d, config: &c}, nil
}

// NewConnector makes connections that share a session, for sql.OpenDB. Closing the
// sql.DB leaves the session open.
func NewConnector(s *sluice.Session) driver.Connector {
	return &connector{driver: &Driver{}, session: s}
}

// connector makes the session of a data source name when it is first used.
type connector struct {
	driver *Driver
	config *Config // nil: the session was given

	mu      sync.Mutex
	session *sluice.Session
	closed  bool
}

// Driver is part of driver.Connector.
func (c *connector) Driver() driver.Driver { return c.driver }

// Connect is part of driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, sluice.ErrClosed
	}
	if c.session == nil {
		s, err := open(ctx, c.config)
		if err != nil {
			return nil, err
		}
		c.session = s
	}
	return &connection{session: c.session}, nil
}

// Close is part of io.Closer: sql.DB.Close comes here.
func (c *connector) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.config == nil || c.session == nil {
		return nil
	}
	return c.session.Close()
}

// open makes the session that a configuration describes.
func open(ctx context.Context, c *Config) (*sluice.Session, error) {
	opts := []sluice.Option{sluice.WithWorkers(c.Workers), sluice.WithMemoryLimit(c.Memory)}
	for k, v := range c.Options {
		opts = append(opts, sluice.WithStorageOption(k, v))
	}
	s := sluice.NewSession(sluice.SessionOptions{Options: append(opts, sluice.WithLazyOpen()), UserMetadata: c.Note})
	for name, url := range c.Tables {
		s.Table(name, url)
	}
	for name, path := range c.Views {
		s.View(name, path)
	}
	for name, value := range c.Conf {
		if err := s.Set(name, value); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if c.Catalog != "" {
		if err := s.Catalog(ctx, c.Catalog); err != nil {
			return nil, errors.Join(fmt.Errorf("the catalog: %w", err), s.Close())
		}
	}
	return s, nil
}

// ownConn is a connection with a session of its own.
type ownConn struct {
	*connection
	from *connector
}

// Close ends the session too.
func (c *ownConn) Close() error { return errors.Join(c.connection.Close(), c.from.Close()) }
