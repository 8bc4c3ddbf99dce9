import IR

/// What a scalar in memory must be for guarded kernels to run.
enum Guard: Hashable, Sendable {
  /// The scalar is an i1.
  case isTrue, isFalse
  /// The scalar is an i32.
  case equals(Int)
  /// The scalar is an i32 that is none of 0, …, `count` - 1.
  case isOutside(count: Int)

  var elementType: ElementType {
    switch self {
    case .isTrue, .isFalse: .i1
    case .equals, .isOutside: .i32
    }
  }
}

extension Kernel {
  /// The kernel that does nothing unless the guard holds; the scalar is in its last buffer, which it does not write.
  ///
  /// The guard is a part of the kernel, not of its launch: launches without one pay nothing, and emitters and runtimes
  /// know nothing of guards. All items read the same scalar, so barriers may stand under it.
  func guarded(by condition: Guard) -> Kernel {
    var kernel = self
    let memory = Memory.buffer(buffers.count)
    kernel.buffers.append(
      Buffer(name: "guard\(buffers.count)", elementType: condition.elementType, isWritten: false))
    var statements: [Statement] = []
    func define(_ type: ElementType, _ operation: Operation) -> Register {
      kernel.registerTypes.append(RegisterType(type))
      let register = Register(kernel.registerTypes.count - 1)
      statements.append(.define(register, operation))
      return register
    }
    func compare(_ direction: ComparisonDirection, _ scalar: Register, _ number: Int) -> Register {
      let constant = define(.i32, .constant(.integer(Int64(number))))
      return define(.i1, .apply(.compare(direction, .signed), [scalar, constant]))
    }
    let scalar = define(condition.elementType, .load(memory, at: .zero, mask: nil))
    let holds: Register
    switch condition {
    case .isTrue: holds = scalar
    case .isFalse: holds = define(.i1, .apply(.not, [scalar]))
    case .equals(let number): holds = compare(.equal, scalar, number)
    case .isOutside(let count):
      holds = define(.i1, .apply(.or, [compare(.less, scalar, 0), compare(.greaterOrEqual, scalar, count)]))
    }
    kernel.body = statements + [.branch(holds, then: body, else: [])]
    return kernel
  }

  /// Copies a tensor, word by word: a copy that can be guarded.
  static func copy(of type: TensorType, name: String, target: Target) -> Kernel {
    let byteCount = type.elementType.byteCount
    let (word, wordByteCount): (ElementType, Int) =
      switch byteCount {
      case 1: (.ui8, 1)
      case 2: (.ui16, 2)
      default: (.ui32, 4)
      }
    var b = KernelBuilder(target: target)
    let source = b.addBuffer("from", word, isWritten: false)
    let destination = b.addBuffer("to", word, isWritten: true)
    b.store(b.load(source, at: .task, lanes: 1), destination, at: .task, lanes: 1)
    let wordCount = type.elementCount * IntegerExpression(byteCount / wordByteCount)
    return b.kernel(name: name, sources: ["copy"], taskCount: wordCount, taskCost: 1)
  }
}
