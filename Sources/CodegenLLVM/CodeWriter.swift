import CLLVM
import Codegen
import IR

/// A register's value in LLVM.
///
/// i1 and integers have their own width, f32 and f64 are LLVM's; f16, bf16 and the narrower floats are their bits.
struct Value {
  var type: RegisterType
  /// The value; of complex types the real part.
  var part: LLVMValueRef
  /// The imaginary part of complex types.
  var imaginary: LLVMValueRef?

  init(_ type: RegisterType, _ part: LLVMValueRef, imaginary: LLVMValueRef? = nil) {
    self.type = type
    self.part = part
    self.imaginary = imaginary
  }

  init(_ element: ElementType, _ lanes: Int, _ part: LLVMValueRef, imaginary: LLVMValueRef? = nil) {
    self.init(RegisterType(element, lanes: lanes), part, imaginary: imaginary)
  }

  var element: ElementType { type.element }
  var lanes: Int { type.lanes }

  /// The value with each part replaced.
  func mapParts(_ type: RegisterType, _ transform: (LLVMValueRef) -> LLVMValueRef) -> Value {
    Value(type, transform(part), imaginary: imaginary.map(transform))
  }
}

/// Writes LLVM instructions at the end of a block.
struct CodeWriter {
  let context: LLVMContextRef
  let module: LLVMModuleRef
  let builder: LLVMBuilderRef
  let processor: Processor

  init(_ module: borrowing LLVMModule, _ processor: Processor) {
    context = module.context
    self.module = module.module
    builder = module.builder
    self.processor = processor
  }

  // MARK: Types

  var voidType: LLVMTypeRef { LLVMVoidTypeInContext(context) }
  var pointerType: LLVMTypeRef { LLVMPointerTypeInContext(context, 0) }
  var indexType: LLVMTypeRef { LLVMInt64TypeInContext(context) }

  func integerType(_ bits: Int, lanes: Int = 1) -> LLVMTypeRef {
    vector(LLVMIntTypeInContext(context, UInt32(bits)), lanes)
  }

  func floatType(_ bits: Int, lanes: Int = 1) -> LLVMTypeRef {
    vector(bits == 64 ? LLVMDoubleTypeInContext(context) : LLVMFloatTypeInContext(context), lanes)
  }

  func vector(_ type: LLVMTypeRef, _ lanes: Int) -> LLVMTypeRef {
    lanes == 1 ? type : LLVMVectorType(type, UInt32(lanes))
  }

  /// The type of a register's parts.
  func partType(_ type: RegisterType) -> LLVMTypeRef {
    switch type.element {
    case .f32, .complex64: floatType(32, lanes: type.lanes)
    case .f64, .complex128: floatType(64, lanes: type.lanes)
    case .f16, .bf16: integerType(16, lanes: type.lanes)
    default:
      integerType(type.element.isFloat ? 8 : type.element.bitWidth, lanes: type.lanes)
    }
  }

  /// The type in memory of an element's parts.
  func memoryType(_ element: ElementType, lanes: Int = 1) -> LLVMTypeRef {
    switch element {
    case .i1, .i2, .ui2, .i4, .ui4: integerType(8, lanes: lanes)
    default: partType(RegisterType(element, lanes: lanes))
    }
  }

  // MARK: Constants

  func index(_ value: Int) -> LLVMValueRef { integer(value, 64) }

  func integer(_ value: Int, _ bits: Int, lanes: Int = 1) -> LLVMValueRef {
    let scalar: LLVMValueRef = LLVMConstInt(integerType(bits), UInt64(bitPattern: Int64(value)), 1)
    return constantSplat(scalar, lanes)
  }

  /// The float with these bits.
  func float(bits: UInt64, _ width: Int, lanes: Int = 1) -> LLVMValueRef {
    let integer: LLVMValueRef = LLVMConstInt(integerType(width), bits, 0)
    return constantSplat(LLVMConstBitCast(integer, floatType(width)), lanes)
  }

  func float(_ value: Double, _ width: Int, lanes: Int = 1) -> LLVMValueRef {
    float(bits: width == 64 ? value.bitPattern : UInt64(Float(value).bitPattern), width, lanes: lanes)
  }

  func constantSplat(_ scalar: LLVMValueRef, _ lanes: Int) -> LLVMValueRef {
    lanes == 1 ? scalar : constantVector([LLVMValueRef](repeating: scalar, count: lanes))
  }

  func constantVector(_ elements: [LLVMValueRef]) -> LLVMValueRef {
    var elements: [LLVMValueRef?] = elements
    return LLVMConstVector(&elements, UInt32(elements.count))
  }

  func zero(_ type: LLVMTypeRef) -> LLVMValueRef { LLVMConstNull(type) }

  func constant(_ value: Scalar, _ type: RegisterType) -> Value {
    let lanes = type.lanes
    switch type.element {
    case .f32, .f64: return Value(type, float(value.realValue, type.element.bitWidth, lanes: lanes))
    case .complex64, .complex128:
      let width = type.element.bitWidth / 2
      let real = float(value.realValue, width, lanes: lanes)
      return Value(type, real, imaginary: float(value.imaginaryValue, width, lanes: lanes))
    case .i1: return Value(type, integer(value.integerValue & 1 == 0 ? 0 : 1, 1, lanes: lanes))
    default:
      if type.element.isInteger {
        return Value(type, integer(Int(value.integerValue), type.element.bitWidth, lanes: lanes))
      }
      var bits = 0
      for (position, byte) in type.element.bytes(of: value).enumerated() { bits |= Int(byte) << (8 * position) }
      return Value(type, integer(bits, type.element.byteCount * 8, lanes: lanes))
    }
  }

  // MARK: Instructions

  func binary(_ opcode: LLVMOpcode, _ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
    LLVMBuildBinOp(builder, opcode, a, b, "")
  }

  func cast(_ opcode: LLVMOpcode, _ a: LLVMValueRef, to type: LLVMTypeRef) -> LLVMValueRef {
    LLVMTypeOf(a) == type ? a : LLVMBuildCast(builder, opcode, a, type, "")
  }

  func compare(_ predicate: LLVMIntPredicate, _ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
    LLVMBuildICmp(builder, predicate, a, b, "")
  }

  func compare(_ predicate: LLVMRealPredicate, _ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
    LLVMBuildFCmp(builder, predicate, a, b, "")
  }

  func select(_ condition: LLVMValueRef, _ a: LLVMValueRef, _ b: LLVMValueRef) -> LLVMValueRef {
    LLVMBuildSelect(builder, condition, a, b, "")
  }

  /// A call of an intrinsic that is overloaded for `overloads`.
  func intrinsic(_ name: String, _ overloads: [LLVMTypeRef], _ arguments: [LLVMValueRef]) -> LLVMValueRef {
    var types: [LLVMTypeRef?] = overloads
    let identifier = LLVMLookupIntrinsicID(name, name.utf8.count)
    let function: LLVMValueRef = LLVMGetIntrinsicDeclaration(module, identifier, &types, types.count)
    let type: LLVMTypeRef = LLVMIntrinsicGetType(context, identifier, &types, types.count)
    return call(function, type, arguments)
  }

  @discardableResult
  func call(_ function: LLVMValueRef, _ type: LLVMTypeRef, _ arguments: [LLVMValueRef]) -> LLVMValueRef {
    var arguments: [LLVMValueRef?] = arguments
    return LLVMBuildCall2(builder, type, function, &arguments, UInt32(arguments.count), "")
  }

  func extract(_ vector: LLVMValueRef, _ lane: Int) -> LLVMValueRef {
    LLVMBuildExtractElement(builder, vector, integer(lane, 32), "")
  }

  func insert(_ scalar: LLVMValueRef, _ vector: LLVMValueRef, _ lane: Int) -> LLVMValueRef {
    LLVMBuildInsertElement(builder, vector, scalar, integer(lane, 32), "")
  }

  /// The scalar in all lanes.
  func splat(_ scalar: LLVMValueRef, _ lanes: Int) -> LLVMValueRef {
    if lanes == 1 { return scalar }
    if LLVMIsConstant(scalar) != 0 { return constantSplat(scalar, lanes) }
    let poison: LLVMValueRef = LLVMGetPoison(vector(LLVMTypeOf(scalar), lanes))
    let first = insert(scalar, poison, 0)
    return LLVMBuildShuffleVector(builder, first, poison, zero(integerType(32, lanes: lanes)), "")
  }

  /// Lanes of `a` followed by those of `b`, picked by position.
  func shuffle(_ a: LLVMValueRef, _ b: LLVMValueRef, _ positions: [Int]) -> LLVMValueRef {
    LLVMBuildShuffleVector(builder, a, b, constantVector(positions.map { integer($0, 32) }), "")
  }

  /// The positions of a vector's lanes: 0, 1, 2, …
  func laneNumbers(_ lanes: Int) -> LLVMValueRef {
    lanes == 1 ? index(0) : constantVector((0..<lanes).map { index($0) })
  }

  // MARK: Memory

  func address(_ base: LLVMValueRef, _ element: LLVMTypeRef, _ position: LLVMValueRef) -> LLVMValueRef {
    var indices: [LLVMValueRef?] = [position]
    return LLVMBuildInBoundsGEP2(builder, element, base, &indices, 1, "")
  }

  /// The address so many bytes from `base`, which may lie outside of what `base` points into.
  func addressOutside(_ base: LLVMValueRef, _ byteOffset: LLVMValueRef) -> LLVMValueRef {
    var indices: [LLVMValueRef?] = [byteOffset]
    return LLVMBuildGEP2(builder, integerType(8), base, &indices, 1, "")
  }

  func load(_ type: LLVMTypeRef, _ address: LLVMValueRef, alignment: Int) -> LLVMValueRef {
    let load: LLVMValueRef = LLVMBuildLoad2(builder, type, address, "")
    LLVMSetAlignment(load, UInt32(alignment))
    return load
  }

  func store(_ value: LLVMValueRef, _ address: LLVMValueRef, alignment: Int) {
    let store: LLVMValueRef = LLVMBuildStore(builder, value, address)
    LLVMSetAlignment(store, UInt32(alignment))
  }

  // MARK: Blocks

  var currentBlock: LLVMBasicBlockRef { LLVMGetInsertBlock(builder) }

  /// A new block at the end of the current function.
  func appendBlock(_ name: String) -> LLVMBasicBlockRef {
    LLVMAppendBasicBlockInContext(context, LLVMGetBasicBlockParent(currentBlock), name)
  }

  func move(to block: LLVMBasicBlockRef) { LLVMPositionBuilderAtEnd(builder, block) }
  func jump(to block: LLVMBasicBlockRef) { LLVMBuildBr(builder, block) }

  func jump(if condition: LLVMValueRef, _ then: LLVMBasicBlockRef, else otherwise: LLVMBasicBlockRef) {
    LLVMBuildCondBr(builder, condition, then, otherwise)
  }

  /// Tells LLVM not to repeat the body of the loop that a jump back, the last instruction here, closes.
  func forbidUnrolling() {
    guard let jump = LLVMGetBasicBlockTerminator(currentBlock) else { return }
    let name = "llvm.loop.unroll.disable"
    var words: [LLVMMetadataRef?] = [LLVMMDStringInContext2(context, name, name.utf8.count)]
    let hint = LLVMMDNodeInContext2(context, &words, 1)
    // A loop's metadata begins with itself.
    let itself = LLVMTemporaryMDNode(context, nil, 0)
    var parts: [LLVMMetadataRef?] = [itself, hint]
    let loop = LLVMMDNodeInContext2(context, &parts, 2)
    LLVMMetadataReplaceAllUsesWith(itself, loop)
    let kind = LLVMGetMDKindIDInContext(context, "llvm.loop", 9)
    LLVMSetMetadata(jump, kind, LLVMMetadataAsValue(context, loop))
  }

  func phi(_ type: LLVMTypeRef) -> LLVMValueRef { LLVMBuildPhi(builder, type, "") }

  func addIncoming(_ value: LLVMValueRef, from block: LLVMBasicBlockRef, to phi: LLVMValueRef) {
    var values: [LLVMValueRef?] = [value]
    var blocks: [LLVMBasicBlockRef?] = [block]
    LLVMAddIncoming(phi, &values, &blocks, 1)
  }

  /// Memory for `count` elements in the current function's entry block, so that it is taken once for a call.
  func allocate(_ type: LLVMTypeRef, count: Int, alignment: Int, in entry: LLVMBasicBlockRef) -> LLVMValueRef {
    let block = currentBlock
    if let first = LLVMGetFirstInstruction(entry) {
      LLVMPositionBuilderBefore(builder, first)
    } else {
      move(to: entry)
    }
    let array: LLVMTypeRef = LLVMArrayType2(type, UInt64(count))
    let memory: LLVMValueRef = LLVMBuildAlloca(builder, array, "")
    LLVMSetAlignment(memory, UInt32(alignment))
    move(to: block)
    return memory
  }

  // MARK: Functions

  func addAttribute(_ name: String, to function: LLVMValueRef, parameter: Int? = nil) {
    let kind = LLVMGetEnumAttributeKindForName(name, name.utf8.count)
    let position = parameter.map { UInt32($0 + 1) } ?? UInt32.max
    LLVMAddAttributeAtIndex(function, position, LLVMCreateEnumAttribute(context, kind, 0))
  }

  func addAttribute(_ key: String, _ value: String, to function: LLVMValueRef) {
    let attribute = LLVMCreateStringAttribute(context, key, UInt32(key.utf8.count), value, UInt32(value.utf8.count))
    LLVMAddAttributeAtIndex(function, UInt32.max, attribute)
  }

  func functionType(_ result: LLVMTypeRef, _ parameters: [LLVMTypeRef]) -> LLVMTypeRef {
    var parameters: [LLVMTypeRef?] = parameters
    return LLVMFunctionType(result, &parameters, UInt32(parameters.count), 0)
  }

  /// A declaration; definitions call `prepareDefinition` as well.
  func declare(_ name: String, _ type: LLVMTypeRef) -> LLVMValueRef {
    if let known = LLVMGetNamedFunction(module, name) { return known }
    let function: LLVMValueRef = LLVMAddFunction(module, name, type)
    LLVMSetVisibility(function, LLVMHiddenVisibility)
    addAttribute("nounwind", to: function)
    return function
  }

  /// Gives a function that is defined here its attributes and an entry block, at whose end the writer writes then.
  @discardableResult
  func beginDefinition(_ function: LLVMValueRef) -> LLVMBasicBlockRef {
    if processor.has512BitVectors {
      addAttribute("prefer-vector-width", "512", to: function)
      addAttribute("min-legal-vector-width", "512", to: function)
    }
    if let tuning = processor.tuning { addAttribute("tune-cpu", tuning, to: function) }
    let entry: LLVMBasicBlockRef = LLVMAppendBasicBlockInContext(context, function, "entry")
    move(to: entry)
    return entry
  }
}
