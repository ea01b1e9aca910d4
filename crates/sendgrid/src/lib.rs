//! Everything that has SendGrid's shape.
