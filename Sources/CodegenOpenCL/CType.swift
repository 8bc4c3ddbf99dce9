import Codegen
import IR

/// A register's value as text: an identifier or a literal.
///
/// A scalar i1 is a `bool`, of several lanes a `charN` of 0 and -1. f16, bf16 and the narrower floats are their bits;
/// integers narrower than a byte are a byte that holds their value.
struct Value {
  var type: RegisterType
  /// The value; of complex types the real part.
  var part: String
  /// The imaginary part of complex types.
  var imaginary: String?
  /// The number in all lanes, where it is known.
  var constant: Scalar?

  init(_ type: RegisterType, _ part: String, imaginary: String? = nil) {
    self.type = type
    self.part = part
    self.imaginary = imaginary
  }

  init(_ element: ElementType, _ lanes: Int, _ part: String, imaginary: String? = nil) {
    self.init(RegisterType(element, lanes: lanes), part, imaginary: imaginary)
  }

  var element: ElementType { type.element }
  var lanes: Int { type.lanes }

  /// The value with each part replaced.
  func mapParts(_ type: RegisterType, _ transform: (String) -> String) -> Value {
    Value(type, transform(part), imaginary: imaginary.map(transform))
  }

  /// One lane of each part.
  func lane(_ lane: Int) -> Value {
    mapParts(RegisterType(element)) { lanes == 1 ? $0 : CType.lane(lane, of: $0) }
  }
}

/// Names of types in OpenCL C.
enum CType {
  /// `float4`: the type of a register's parts.
  static func part(_ type: RegisterType) -> String {
    if type.element == .i1 { return type.lanes == 1 ? "bool" : "char\(type.lanes)" }
    return vector(memory(type.element), type.lanes)
  }

  /// The type in memory of an element's parts.
  static func memory(_ element: ElementType) -> String {
    switch element {
    case .i1: "uchar"
    case .i2, .i4, .i8: "char"
    case .i16: "short"
    case .i32: "int"
    case .i64: "long"
    case .ui2, .ui4, .ui8: "uchar"
    case .ui16, .f16, .bf16: "ushort"
    case .ui32: "uint"
    case .ui64: "ulong"
    case .f32, .complex64: "float"
    case .f64, .complex128: "double"
    default: "uchar"
    }
  }

  static func vector(_ name: String, _ lanes: Int) -> String { lanes == 1 ? name : "\(name)\(lanes)" }

  /// The integer type of a width of 8, 16, 32 or 64 bits.
  static func integer(_ width: Int, isSigned: Bool = true, lanes: Int = 1) -> String {
    let name =
      switch width {
      case ...8: "char"
      case 16: "short"
      case 32: "int"
      default: "long"
      }
    return vector(isSigned ? name : "u\(name)", lanes)
  }

  /// The bits that a part takes: 8, 16, 32 or 64.
  static func width(_ element: ElementType) -> Int {
    max(8, element.isComplex ? element.bitWidth / 2 : element.bitWidth == 6 ? 8 : element.bitWidth)
  }

  /// `x.s3`
  static func lane(_ lane: Int, of part: String) -> String {
    "\(part).s\(String(lane, radix: 16))"
  }

  /// A vector from its lanes' texts; the text itself for one lane.
  static func vector(_ type: String, of lanes: [String]) -> String {
    lanes.count == 1 ? lanes[0] : "(\(type))(\(lanes.joined(separator: ", ")))"
  }

  // MARK: Literals

  static func float(_ value: Double, _ width: Int) -> String {
    let suffix = width == 64 ? "" : "f"
    if value.isNaN {
      let bits = width == 64 ? value.bitPattern : UInt64(Float(value).bitPattern)
      return "as_\(width == 64 ? "double" : "float")(\(unsigned(bits, width)))"
    }
    if value.isInfinite {
      let infinity = width == 64 ? "(double)INFINITY" : "INFINITY"
      return value < 0 ? "(-\(infinity))" : infinity
    }
    let text = width == 64 ? "\(value)" : "\(Float(value))"
    return value.sign == .minus ? "(\(text)\(suffix))" : "\(text)\(suffix)"
  }

  static func unsigned(_ bits: UInt64, _ width: Int) -> String {
    "0x\(String(bits, radix: 16))\(width == 64 ? "UL" : "U")"
  }

  static func signed(_ value: Int, _ width: Int) -> String {
    let suffix = width == 64 ? "L" : ""
    if value == .min { return "(-\(Int.max)L - 1)" }
    if width == 32, value == Int(Int32.min) { return "(-2147483647 - 1)" }
    return value < 0 ? "(\(value)\(suffix))" : "\(value)\(suffix)"
  }

  static func constant(_ value: Scalar, _ type: RegisterType) -> Value {
    var literal = literal(value, type)
    literal.constant = value
    return literal
  }

  private static func literal(_ value: Scalar, _ type: RegisterType) -> Value {
    let element = type.element
    // A literal is an `int` or wider; OpenCL's functions take operands of one type.
    let isNarrow = !element.isComplex && element != .i1 && element.bitWidth < 32
    func filled(_ text: String) -> String {
      if type.lanes == 1 { return isNarrow ? "((\(part(type)))\(text))" : text }
      return "(\(part(type)))(\(text))"
    }
    switch element {
    case .i1:
      let isTrue = value.integerValue & 1 != 0
      return Value(type, type.lanes == 1 ? "\(isTrue)" : filled(isTrue ? "-1" : "0"))
    case .f32, .f64: return Value(type, filled(float(value.realValue, element.bitWidth)))
    case .complex64, .complex128:
      let width = element.bitWidth / 2
      return Value(
        type, filled(float(value.realValue, width)), imaginary: filled(float(value.imaginaryValue, width)))
    case _ where element.isInteger:
      let width = width(element)
      if element.kind == .signed { return Value(type, filled(signed(Int(value.integerValue), width))) }
      let bits = UInt64(bitPattern: value.integerValue) & (width == 64 ? .max : (1 << UInt64(element.bitWidth)) - 1)
      return Value(type, filled(unsigned(bits, width)))
    default:
      var bits: UInt64 = 0
      for (position, byte) in element.bytes(of: value).enumerated() { bits |= UInt64(byte) << UInt64(8 * position) }
      return Value(type, filled(unsigned(bits, width(element))))
    }
  }
}
