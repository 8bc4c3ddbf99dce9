import Foundation
import IR
import Synchronization

/// The memory of a tensor: elements in row-major order.
///
/// `@unchecked`, because the compiler forbids to share a pointer: elements are written before the buffer is handed on, by
/// whoever made it, and never after.
final class TensorBuffer: @unchecked Sendable {
  let type: TensorType
  let dimensions: [Int]
  let data: UnsafeMutableRawPointer
  let byteCount: Int

  /// Memory whose elements are still to be written.
  init(_ elementType: ElementType, _ dimensions: [Int]) {
    type = TensorType(elementType, fixed: dimensions)
    self.dimensions = dimensions
    byteCount = dimensions.reduce(elementType.byteCount, *)
    data = MemoryPool.shared.take(byteCount)
  }

  convenience init(_ literal: Literal) {
    self.init(literal.elementType, literal.dimensions)
    literal.expanded.bytes.withUnsafeBytes { bytes in
      if let source = bytes.baseAddress { data.copyMemory(from: source, byteCount: byteCount) }
    }
  }

  deinit { MemoryPool.shared.give(data, byteCount) }

  var elementCount: Int { dimensions.reduce(1, *) }

  var literal: Literal {
    Literal(type.elementType, dimensions, bytes: Array(UnsafeRawBufferPointer(start: data, count: byteCount)))
  }
}

/// Large blocks of memory that buffers have given back: to map new pages costs more than to compute on them.
private final class MemoryPool: Sendable {
  static let shared = MemoryPool()

  private struct State {
    /// The addresses of blocks, by their size.
    var blocks: [Int: [UInt]] = [:]
    var byteCount = 0
  }

  private static let alignment = 64
  private static let leastPooled = 64 << 10
  private static let mostPooled = 1 << 30

  private let state = Mutex(State())

  func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = Self.size(byteCount)
    let pooled = state.withLock { state -> UInt? in
      let block = state.blocks[size]?.popLast()
      if block != nil { state.byteCount -= size }
      return block
    }
    if let pooled, let pointer = UnsafeMutableRawPointer(bitPattern: pooled) { return pointer }
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, Self.alignment, size) == 0, let pointer else {
      refuse(OpError("there is no memory for a tensor of \(byteCount) bytes"))
    }
    return pointer
  }

  func give(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
    let size = Self.size(byteCount)
    let address = UInt(bitPattern: pointer)
    let isKept = state.withLock { state in
      guard size >= Self.leastPooled, state.byteCount + size <= Self.mostPooled else { return false }
      state.blocks[size, default: []].append(address)
      state.byteCount += size
      return true
    }
    if !isKept { free(pointer) }
  }

  private static func size(_ byteCount: Int) -> Int { max(alignment, (byteCount + alignment - 1) & ~(alignment - 1)) }
}
