package app

import "github.com/go-logr/logr"

// rejectedEvent is what the event recorder logs of an event that the API server refused, as in a namespace that is being
// deleted: as an error, with the whole event and a stack trace, though there is nothing to mend.
const rejectedEvent = "Server rejected event (will not retry!)"

// withoutRejectedEvents is a logger to which a rejected event is one line of information.
func withoutRejectedEvents(logger logr.Logger) logr.Logger {
	if logger.GetSink() == nil {
		return logger
	}
	return logger.WithSink(eventSink{logger.GetSink()})
}

type eventSink struct{ logr.LogSink }

// Init is the wrapped sink's, which is initialized already.
func (eventSink) Init(logr.RuntimeInfo) {}

// Error implements logr.LogSink.
func (s eventSink) Error(err error, message string, keysAndValues ...any) {
	if message == rejectedEvent {
		s.Info(1, "the API server refused an event", "err", err.Error())
		return
	}
	s.LogSink.Error(err, message, keysAndValues...)
}

// WithValues implements logr.LogSink.
func (s eventSink) WithValues(keysAndValues ...any) logr.LogSink {
	return eventSink{s.LogSink.WithValues(keysAndValues...)}
}

// WithName implements logr.LogSink.
func (s eventSink) WithName(name string) logr.LogSink { return eventSink{s.LogSink.WithName(name)} }

// WithCallDepth implements logr.CallDepthLogSink.
func (s eventSink) WithCallDepth(depth int) logr.LogSink {
	if sink, able := s.LogSink.(logr.CallDepthLogSink); able {
		return eventSink{sink.WithCallDepth(depth)}
	}
	return s
}
