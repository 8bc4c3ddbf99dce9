import CLLVM
import Codegen
import IR

/// Where elements of one type lie.
struct Place {
  var base: LLVMValueRef
  var element: ElementType
  /// Memory of the function's own, all zero, that is read where a mask is false.
  var zeros: LLVMValueRef
  /// Memory of the function's own that is written where a mask is false.
  var waste: LLVMValueRef
}

/// Which lanes of a load or a store of neighbouring elements are wanted.
///
/// A load without any wanted lane reads nothing, but looks its address up all the same: where no memory is, that takes
/// microseconds. So what is not wanted as a whole goes to memory of the function's own.
struct AccessMask {
  /// One i1, which holds where any lane is wanted.
  var condition: LLVMValueRef?
  /// Nil where all lanes are wanted, or none.
  var lanes: LLVMValueRef?
}

extension CodeWriter {
  /// Bytes to whose multiples the element's parts are known to be aligned.
  private func alignment(_ element: ElementType) -> Int {
    element.isComplex ? element.byteCount / 2 : element.byteCount
  }

  private func decode(_ stored: LLVMValueRef, _ type: RegisterType) -> LLVMValueRef {
    switch type.element {
    case .i1: compare(LLVMIntNE, stored, zero(LLVMTypeOf(stored)))
    case .i2, .ui2, .i4, .ui4: cast(LLVMTrunc, stored, to: partType(type))
    default: stored
    }
  }

  private func encode(_ value: LLVMValueRef, _ type: RegisterType) -> LLVMValueRef {
    let opcode = type.element.kind == .signed ? LLVMSExt : LLVMZExt
    return cast(opcode, value, to: memoryType(type.element, lanes: type.lanes))
  }

  /// Runs `body` where the scalar i1 holds; its values are zero elsewhere.
  private func guarded(
    by mask: LLVMValueRef?, _ type: LLVMTypeRef, count: Int, _ body: () -> [LLVMValueRef]
  ) -> [LLVMValueRef] {
    guard let mask else { return body() }
    let (start, then, end) = (currentBlock, appendBlock("then"), appendBlock("end"))
    jump(if: mask, then, else: end)
    move(to: then)
    let values = body()
    let last = currentBlock
    jump(to: end)
    move(to: end)
    return (0..<count).map { position in
      let result = phi(type)
      addIncoming(zero(type), from: start, to: result)
      addIncoming(values[position], from: last, to: result)
      return result
    }
  }

  private func interleaved(_ mask: LLVMValueRef, lanes: Int) -> LLVMValueRef {
    lanes == 1 ? splat(mask, 2) : shuffle(mask, mask, (0..<2 * lanes).map { $0 / 2 })
  }

  // MARK: Consecutive elements

  /// The elements from `position` on, zero where the mask is false.
  func load(_ place: Place, at position: LLVMValueRef, lanes: Int, mask: AccessMask?) -> Value {
    let type = RegisterType(place.element, lanes: lanes)
    let single = memoryType(place.element)
    if place.element.isComplex {
      var start = address(place.base, single, binary(LLVMMul, position, index(2)))
      if lanes == 1 {
        let parts = guarded(by: mask?.condition, single, count: 2) {
          let second = address(start, single, index(1))
          return [start, second].map { load(single, $0, alignment: alignment(place.element)) }
        }
        return Value(type, parts[0], imaginary: parts[1])
      }
      if let condition = mask?.condition { start = select(condition, start, place.zeros) }
      let both = loadVector(
        vector(single, 2 * lanes), start, alignment(place.element), mask?.lanes.map { interleaved($0, lanes: lanes) })
      let real = shuffle(both, both, (0..<lanes).map { 2 * $0 })
      return Value(type, real, imaginary: shuffle(both, both, (0..<lanes).map { 2 * $0 + 1 }))
    }
    var start = address(place.base, single, position)
    if lanes == 1 {
      let part = guarded(by: mask?.condition, single, count: 1) {
        [load(single, start, alignment: alignment(place.element))]
      }
      return Value(type, decode(part[0], type))
    }
    if let condition = mask?.condition { start = select(condition, start, place.zeros) }
    let stored = loadVector(memoryType(place.element, lanes: lanes), start, alignment(place.element), mask?.lanes)
    return Value(type, decode(stored, type))
  }

  private func loadVector(
    _ type: LLVMTypeRef, _ address: LLVMValueRef, _ alignment: Int, _ mask: LLVMValueRef?
  ) -> LLVMValueRef {
    guard let mask else { return load(type, address, alignment: alignment) }
    if let pieces = pieces(of: mask, type, stores: false) {
      let single: LLVMTypeRef = LLVMGetElementType(type)
      return pieces.reduce(zero(type)) { result, piece in
        let source = self.address(address, single, index(piece.lowerBound))
        let own = piece.count == 1 ? single : vector(single, piece.count)
        return joined(result, load(own, source, alignment: alignment), piece)
      }
    }
    func some() -> LLVMValueRef {
      intrinsic("llvm.masked.load", [type, pointerType], [address, integer(alignment, 32), mask, zero(type)])
    }
    guard processor.branchesOnMasks(bitWidth: elementWidth(type), stores: false) else { return some() }
    let (all, part, end) = branches(on: mask)
    move(to: all)
    let whole = load(type, address, alignment: alignment)
    jump(to: end)
    move(to: part)
    let parts = some()
    jump(to: end)
    move(to: end)
    let result = phi(type)
    addIncoming(whole, from: all, to: result)
    addIncoming(parts, from: part, to: result)
    return result
  }

  // MARK: The first lanes

  /// The first lanes, where a constant says that they are wanted, in vectors that need no mask; nil where masks are as good.
  private func pieces(of mask: LLVMValueRef, _ type: LLVMTypeRef, stores: Bool) -> [Range<Int>]? {
    guard LLVMIsConstant(mask) != 0,
      processor.branchesOnMasks(bitWidth: elementWidth(type), stores: stores)
    else { return nil }
    let lanes = Int(LLVMGetVectorSize(type))
    let wanted = (0..<lanes).map { lane -> Bool in
      guard let element = LLVMGetAggregateElement(mask, UInt32(lane)), LLVMIsAConstantInt(element) != nil else {
        return false
      }
      return LLVMConstIntGetZExtValue(element) != 0
    }
    let count = wanted.prefix { $0 }.count
    guard !wanted[count...].contains(true) else { return nil }
    var pieces: [Range<Int>] = []
    var start = 0
    while start < count {
      // The largest power of two that is left.
      let size = 1 << (Int.bitWidth - 1 - (count - start).leadingZeroBitCount)
      pieces.append(start..<start + size)
      start += size
    }
    return pieces
  }

  /// Some lanes of a vector; a scalar where it is one.
  private func part(of vector: LLVMValueRef, _ lanes: Range<Int>) -> LLVMValueRef {
    lanes.count == 1 ? extract(vector, lanes.lowerBound) : shuffle(vector, vector, Array(lanes))
  }

  /// The vector with some lanes replaced by those of `part`.
  private func joined(_ vector: LLVMValueRef, _ part: LLVMValueRef, _ lanes: Range<Int>) -> LLVMValueRef {
    if lanes.count == 1 { return insert(part, vector, lanes.lowerBound) }
    let count = Int(LLVMGetVectorSize(LLVMTypeOf(vector)))
    if lanes.count == count { return part }
    let wide = shuffle(part, part, (0..<count).map { min($0, lanes.count - 1) })
    return shuffle(vector, wide, (0..<count).map { lanes.contains($0) ? count + $0 - lanes.lowerBound : $0 })
  }

  /// The bits of an element of a vector type.
  private func elementWidth(_ type: LLVMTypeRef) -> Int {
    let element: LLVMTypeRef = LLVMGetElementType(type)
    switch LLVMGetTypeKind(element) {
    case LLVMFloatTypeKind: return 32
    case LLVMDoubleTypeKind: return 64
    default: return Int(LLVMGetIntTypeWidth(element))
    }
  }

  /// The blocks where all lanes of the mask hold and where they need not, and the one after both.
  private func branches(on mask: LLVMValueRef) -> (all: LLVMBasicBlockRef, part: LLVMBasicBlockRef, LLVMBasicBlockRef) {
    let (all, part, end) = (appendBlock("all"), appendBlock("part"), appendBlock("end"))
    jump(if: intrinsic("llvm.vector.reduce.and", [LLVMTypeOf(mask)], [mask]), all, else: part)
    return (all, part, end)
  }

  /// Writes the value's elements from `position` on, but where the mask is false.
  func store(_ value: Value, _ place: Place, at position: LLVMValueRef, mask: AccessMask?) {
    let single = memoryType(place.element)
    let lanes = value.lanes
    if let imaginary = value.imaginary {
      var start = address(place.base, single, binary(LLVMMul, position, index(2)))
      if lanes == 1 {
        _ = guarded(by: mask?.condition, single, count: 0) {
          store(value.part, start, alignment: alignment(place.element))
          store(imaginary, address(start, single, index(1)), alignment: alignment(place.element))
          return []
        }
        return
      }
      let both = shuffle(value.part, imaginary, (0..<2 * lanes).map { $0 / 2 + ($0 % 2) * lanes })
      if let condition = mask?.condition { start = select(condition, start, place.waste) }
      storeVector(both, start, alignment(place.element), mask?.lanes.map { interleaved($0, lanes: lanes) })
      return
    }
    var start = address(place.base, single, position)
    let stored = encode(value.part, value.type)
    if lanes == 1 {
      _ = guarded(by: mask?.condition, single, count: 0) {
        store(stored, start, alignment: alignment(place.element))
        return []
      }
    } else {
      if let condition = mask?.condition { start = select(condition, start, place.waste) }
      storeVector(stored, start, alignment(place.element), mask?.lanes)
    }
  }

  private func storeVector(
    _ value: LLVMValueRef, _ address: LLVMValueRef, _ alignment: Int, _ mask: LLVMValueRef?
  ) {
    guard let mask else { return store(value, address, alignment: alignment) }
    if let pieces = pieces(of: mask, LLVMTypeOf(value), stores: true) {
      let single: LLVMTypeRef = LLVMGetElementType(LLVMTypeOf(value))
      for piece in pieces {
        let destination = self.address(address, single, index(piece.lowerBound))
        store(part(of: value, piece), destination, alignment: alignment)
      }
      return
    }
    func some() {
      let arguments = [value, address, integer(alignment, 32), mask]
      _ = intrinsic("llvm.masked.store", [LLVMTypeOf(value), pointerType], arguments)
    }
    guard processor.branchesOnMasks(bitWidth: elementWidth(LLVMTypeOf(value)), stores: true) else { return some() }
    let (all, part, end) = branches(on: mask)
    move(to: all)
    store(value, address, alignment: alignment)
    jump(to: end)
    move(to: part)
    let any = appendBlock("any")
    jump(if: intrinsic("llvm.vector.reduce.or", [LLVMTypeOf(mask)], [mask]), any, else: end)
    move(to: any)
    some()
    jump(to: end)
    move(to: end)
  }

  // MARK: Elements anywhere

  private func gathersWhole(_ element: ElementType) -> Bool {
    let width = element.isComplex ? element.bitWidth / 2 : element.bitWidth
    return width == 32 || width == 64
  }

  /// One element for each lane, from the positions in an i64 vector; zero where the mask is false.
  func gather(_ place: Place, at positions: LLVMValueRef, lanes: Int, mask: LLVMValueRef?) -> Value {
    if lanes == 1 { return load(place, at: positions, lanes: 1, mask: AccessMask(condition: mask)) }
    let type = RegisterType(place.element, lanes: lanes)
    if place.element.isComplex {
      let first = binary(LLVMMul, positions, splat(index(2), lanes))
      let second = binary(LLVMAdd, first, splat(index(1), lanes))
      let real = gatherParts(place, first, lanes, mask)
      return Value(type, real, imaginary: gatherParts(place, second, lanes, mask))
    }
    return Value(type, decode(gatherParts(place, positions, lanes, mask), type))
  }

  private func gatherParts(_ place: Place, _ positions: LLVMValueRef, _ lanes: Int, _ mask: LLVMValueRef?)
    -> LLVMValueRef
  {
    let single = memoryType(place.element)
    let whole = vector(single, lanes)
    if processor.hasGather && gathersWhole(place.element) {
      let addresses = address(place.base, single, positions)
      let all: LLVMValueRef = mask ?? LLVMConstAllOnes(integerType(1, lanes: lanes))
      let arguments = [addresses, integer(alignment(place.element), 32), all, zero(whole)]
      return intrinsic("llvm.masked.gather", [whole, vector(pointerType, lanes)], arguments)
    }
    var result: LLVMValueRef = LLVMGetPoison(whole)
    for lane in 0..<lanes {
      var source = address(place.base, single, extract(positions, lane))
      if let mask { source = select(extract(mask, lane), source, place.zeros) }
      result = insert(load(single, source, alignment: alignment(place.element)), result, lane)
    }
    return result
  }

  /// Writes one element for each lane, at the positions in an i64 vector, in lane order; but where the mask is false.
  func scatter(_ value: Value, _ place: Place, at positions: LLVMValueRef, mask: LLVMValueRef?) {
    let lanes = value.lanes
    if lanes == 1 { return store(value, place, at: positions, mask: AccessMask(condition: mask)) }
    if let imaginary = value.imaginary {
      let first = binary(LLVMMul, positions, splat(index(2), lanes))
      scatterParts(value.part, place, first, lanes, mask)
      scatterParts(imaginary, place, binary(LLVMAdd, first, splat(index(1), lanes)), lanes, mask)
      return
    }
    scatterParts(encode(value.part, value.type), place, positions, lanes, mask)
  }

  private func scatterParts(
    _ part: LLVMValueRef, _ place: Place, _ positions: LLVMValueRef, _ lanes: Int, _ mask: LLVMValueRef?
  ) {
    let single = memoryType(place.element)
    if processor.hasScatter && gathersWhole(place.element) {
      let addresses = address(place.base, single, positions)
      let all: LLVMValueRef = mask ?? LLVMConstAllOnes(integerType(1, lanes: lanes))
      let arguments = [part, addresses, integer(alignment(place.element), 32), all]
      _ = intrinsic("llvm.masked.scatter", [LLVMTypeOf(part), vector(pointerType, lanes)], arguments)
      return
    }
    for lane in 0..<lanes {
      var destination = address(place.base, single, extract(positions, lane))
      if let mask { destination = select(extract(mask, lane), destination, place.waste) }
      store(extract(part, lane), destination, alignment: alignment(place.element))
    }
  }
}
