import Foundation
import IR
import Synchronization

/// The memory of a tensor: elements in row-major order, which do not change once the buffer has been handed on.
///
/// Safe to share for that reason, though the compiler cannot see it.
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
private final class MemoryPool: @unchecked Sendable {
  static let shared = MemoryPool()

  private static let alignment = 64
  private static let leastPooled = 64 << 10
  private static let mostPooled = 1 << 30

  private let lock = Mutex(())
  private var blocks: [Int: [UnsafeMutableRawPointer]] = [:]
  private var pooledByteCount = 0

  func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = Self.size(byteCount)
    if size >= Self.leastPooled {
      let block = lock.withLock { _ in
        let block = blocks[size]?.popLast()
        if block != nil { pooledByteCount -= size }
        return block.map { UInt(bitPattern: $0) }
      }
      if let block, let pointer = UnsafeMutableRawPointer(bitPattern: block) { return pointer }
    }
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, Self.alignment, size) == 0, let pointer else {
      fatalError("no memory for a tensor of \(byteCount) bytes")
    }
    return pointer
  }

  func give(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
    let size = Self.size(byteCount)
    let address = UInt(bitPattern: pointer)
    let isKept = lock.withLock { _ in
      guard size >= Self.leastPooled, pooledByteCount + size <= Self.mostPooled,
        let block = UnsafeMutableRawPointer(bitPattern: address)
      else { return false }
      blocks[size, default: []].append(block)
      pooledByteCount += size
      return true
    }
    if !isKept { free(pointer) }
  }

  private static func size(_ byteCount: Int) -> Int { max(alignment, (byteCount + alignment - 1) & ~(alignment - 1)) }
}
