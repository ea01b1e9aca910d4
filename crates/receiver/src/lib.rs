//! Accepts signed POSTs and answers 2xx only once every event in them is durable.
