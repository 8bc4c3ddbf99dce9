import Codegen
import IR

extension KernelWriter {
  func name(_ memory: Memory) -> String {
    switch memory {
    case .buffer(let position): kernel.buffers[position].name
    case .scratch(let position): "scratch\(position)"
    case .shared(let position): "shared\(position)"
    }
  }

  private func element(_ memory: Memory) -> ElementType {
    switch memory {
    case .buffer(let position): kernel.buffers[position].elementType
    case .scratch(let position): kernel.scratch[position].elementType
    case .shared(let position): kernel.shared[position].elementType
    }
  }

  /// What memory holds, as a register's part.
  private func decoded(_ stored: String, _ type: RegisterType) -> String {
    switch type.element {
    case .i1 where type.lanes == 1: "\(stored) != 0"
    case .i1: "(\(stored) != (uchar\(type.lanes))(0))"
    case .i2, .ui2, .i4, .ui4: wrapped(stored, type)
    default: stored
    }
  }

  /// A register's part as memory holds it.
  func encoded(_ value: Value) -> String {
    guard value.element == .i1, value.lanes > 1 else { return value.part }
    return "convert_uchar\(value.lanes)(-\(value.part))"
  }

  /// A lane of a mask, as a condition.
  private func condition(_ mask: Value, _ lane: Int) -> String {
    mask.lanes == 1 ? mask.part : CType.lane(lane, of: mask.part)
  }

  // MARK: Consecutive elements

  /// The elements from `position` on, zero where the mask is false.
  mutating func load(_ memory: Memory, at position: IntegerExpression, _ type: RegisterType, mask: Value?) -> Value {
    let array = name(memory)
    if type.element.isComplex {
      let start = named(index(position * 2))
      let positions = (0..<type.lanes).map { "\(start) + \(2 * $0)" }
      return elements(array, type, mask, real: positions, imaginary: positions.map { "\($0) + 1" })
    }
    if type.lanes == 1 { return elements(array, type, mask, real: [index(position)], imaginary: nil) }
    if let mask {
      if mask.lanes == 1 {
        let whole = loaded(memory, at: position, type)
        let memoryVector = CType.vector(CType.memory(type.element), type.lanes)
        let name = newName()
        append("\(memoryVector) \(name) = (\(memoryVector))(0);")
        append("if (\(mask.part)) \(name) = \(whole);")
        return Value(type, decoded(name, type))
      }
      let start = named(index(position))
      let positions = (0..<type.lanes).map { "\(start) + \($0)" }
      return elements(array, type, mask, real: positions, imaginary: nil)
    }
    return Value(type, decoded(loaded(memory, at: position, type), type))
  }

  /// A vector in memory. One that surely begins at a multiple of its size is read at once: `vload` knows only the alignment of
  /// elements.
  private mutating func loaded(_ memory: Memory, at position: IntegerExpression, _ type: RegisterType) -> String {
    guard let (vector, isWords) = wholeVector(memory, at: position, type) else {
      return "vload\(type.lanes)(0, \(name(memory)) + \(index(position)))"
    }
    return isWords ? "as_\(CType.vector(CType.memory(type.element), type.lanes))(\(vector))" : vector
  }

  /// A vector that surely begins at a multiple of its size, as all memory but scratch does, of at most a cache line, in
  /// memory that items share of at most 16 bytes; it is read and written at once. Many narrow elements are words of four
  /// bytes, of which machines read four at once.
  private mutating func wholeVector(_ memory: Memory, at position: IntegerExpression, _ type: RegisterType)
    -> (text: String, isWords: Bool)?
  {
    let byteCount = type.lanes * CType.width(type.element) / 8
    let space: String
    let limit: Int
    switch memory {
    case .buffer(let number):
      space = kernel.buffers[number].isWritten ? "__global " : "__global const "
      limit = Target.cacheLineByteCount
    case .shared: (space, limit) = ("__local ", 16)
    case .scratch: return nil
    }
    guard byteCount <= limit, byteCount.nonzeroBitCount == 1, position.isMultiple(of: type.lanes) else { return nil }
    let isWords = type.lanes > 4 && CType.width(type.element) < 32
    let vector = isWords ? "uint\(byteCount / 4)" : CType.vector(CType.memory(type.element), type.lanes)
    return ("*(\(space)\(vector) *)(\(name(memory)) + \(index(position)))", isWords)
  }

  /// An index that is used several times, as a name.
  private mutating func named(_ text: String) -> String {
    let name = newName()
    append("const long \(name) = \(text);")
    return name
  }

  /// Single elements, zero where the mask is false.
  private mutating func elements(
    _ array: String, _ type: RegisterType, _ mask: Value?, real: [String], imaginary: [String]?
  ) -> Value {
    func parts(_ positions: [String]) -> String {
      let memory = CType.memory(type.element)
      let loads = positions.enumerated().map { lane, position in
        mask.map { "\(condition($0, lane)) ? \(array)[\(position)] : (\(memory))0" } ?? "\(array)[\(position)]"
      }
      if type.lanes == 1 {
        if type.element == .i1 { return mask == nil ? decoded(loads[0], type) : "(\(loads[0])) != 0" }
        return mask == nil ? decoded(loads[0], type) : decoded("(\(loads[0]))", type)
      }
      return decoded(CType.vector(CType.vector(memory, type.lanes), of: loads), type)
    }
    return Value(type, parts(real), imaginary: imaginary.map(parts))
  }

  /// Writes the value's elements from `position` on, but where the mask is false.
  mutating func store(_ value: Value, _ memory: Memory, at position: IntegerExpression, mask: Value?) {
    let array = name(memory)
    if value.element.isComplex || (value.lanes > 1 && mask.map { $0.lanes > 1 } == true) {
      let start = named(index(position))
      storeElements(value, array, (0..<value.lanes).map { "\(start) + \($0)" }, mask)
    } else if value.lanes == 1 {
      let guardText = mask.map { "if (\($0.part)) " } ?? ""
      append("\(guardText)\(array)[\(index(position))] = \(encoded(value));")
    } else {
      let guardText = mask.map { "if (\($0.part)) " } ?? ""
      if let (vector, isWords) = wholeVector(memory, at: position, value.type) {
        let words = "as_uint\(value.lanes * CType.width(value.element) / 32)"
        append("\(guardText)\(vector) = \(isWords ? "\(words)(\(encoded(value)))" : encoded(value));")
      } else {
        append("\(guardText)vstore\(value.lanes)(\(encoded(value)), 0, \(array) + \(index(position)));")
      }
    }
  }

  /// Writes single elements, in lane order.
  private mutating func storeElements(_ value: Value, _ array: String, _ positions: [String], _ mask: Value?) {
    for (lane, position) in positions.enumerated() {
      let element = value.lane(lane)
      let guardText = mask.map { "if (\(condition($0, lane))) " } ?? ""
      if let imaginary = element.imaginary {
        append("\(guardText)\(array)[2 * (\(position))] = \(element.part);")
        append("\(guardText)\(array)[2 * (\(position)) + 1] = \(imaginary);")
      } else {
        let text = value.element == .i1 && value.lanes > 1 ? "-\(element.part)" : element.part
        append("\(guardText)\(array)[\(position)] = \(text);")
      }
    }
  }

  // MARK: Elements anywhere

  private func lanePositions(_ positions: Value, lanes: Int) -> [String] {
    (0..<lanes).map { positions.lane($0).part }
  }

  /// One element for each lane; zero where the mask is false.
  mutating func gather(_ memory: Memory, at positions: Value, _ type: RegisterType, mask: Value?) -> Value {
    let list = lanePositions(positions, lanes: type.lanes)
    guard type.element.isComplex else { return elements(name(memory), type, mask, real: list, imaginary: nil) }
    return elements(
      name(memory), type, mask, real: list.map { "2 * (\($0))" }, imaginary: list.map { "2 * (\($0)) + 1" })
  }

  /// Writes one element for each lane, in lane order, but where the mask is false.
  mutating func scatter(_ value: Value, _ memory: Memory, at positions: Value, mask: Value?) {
    storeElements(value, name(memory), lanePositions(positions, lanes: value.lanes), mask)
  }
}
