public import IR

/// What the elements of a tensor may be.
public protocol TensorScalar: Hashable, Sendable {
  /// The element type in the graph; its memory layout is the conforming type's.
  static var elementType: ElementType { get }
}

/// Elements with arithmetic.
public protocol TensorNumeric: TensorScalar, Numeric {}

/// Floating-point elements: those that have gradients.
public protocol TensorFloat: TensorNumeric, BinaryFloatingPoint {}

extension Bool: TensorScalar { public static var elementType: ElementType { .i1 } }
extension Int8: TensorNumeric { public static var elementType: ElementType { .i8 } }
extension Int16: TensorNumeric { public static var elementType: ElementType { .i16 } }
extension Int32: TensorNumeric { public static var elementType: ElementType { .i32 } }
extension Int64: TensorNumeric { public static var elementType: ElementType { .i64 } }
extension Int: TensorNumeric { public static var elementType: ElementType { .i64 } }
extension UInt8: TensorNumeric { public static var elementType: ElementType { .ui8 } }
extension UInt16: TensorNumeric { public static var elementType: ElementType { .ui16 } }
extension UInt32: TensorNumeric { public static var elementType: ElementType { .ui32 } }
extension UInt64: TensorNumeric { public static var elementType: ElementType { .ui64 } }
extension Float: TensorFloat { public static var elementType: ElementType { .f32 } }
extension Double: TensorFloat { public static var elementType: ElementType { .f64 } }
#if !(os(macOS) && arch(x86_64))
  extension Float16: TensorFloat { public static var elementType: ElementType { .f16 } }
#endif
