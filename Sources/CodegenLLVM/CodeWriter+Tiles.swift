import CLLVM
import Codegen
import IR

/// Tile registers: AMX. Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18.
extension CodeWriter {
  /// Lets the function use tiles, whatever the module's processor is: the program asks before it calls.
  func addTileFeatures(_ formats: Set<TileFormat>, to function: LLVMValueRef) {
    let names = ["amx-tile"] + formats.map(\.featureName).sorted()
    let own = processor.featureText.isEmpty ? [] : [processor.featureText]
    addAttribute("target-cpu", processor.name, to: function)
    addAttribute("target-features", (own + names.map { "+\($0)" }).joined(separator: ","), to: function)
  }

  /// Makes all tiles 16 rows of 64 bytes.
  func configureTiles(in entry: LLVMBasicBlockRef) {
    // The layout of the 64 bytes: palette, first row, 14 zeros, bytes of a row of each of 16 tiles (two bytes each), rows
    // of each of 16 tiles.
    var bytes = [Int](repeating: 0, count: 64)
    bytes[0] = 1
    for tile in 0..<Tile.count {
      bytes[16 + 2 * tile] = 64
      bytes[48 + tile] = Tile.rowCount
    }
    let memory = allocate(integerType(8), count: 64, alignment: 64, in: entry)
    store(constantVector(bytes.map { integer($0, 8) }), memory, alignment: 64)
    _ = intrinsic("llvm.x86.ldtilecfg", [], [memory])
  }

  func releaseTiles() { _ = intrinsic("llvm.x86.tilerelease", [], []) }

  func zero(_ tile: Tile) { _ = intrinsic("llvm.x86.tilezero", [], [number(tile)]) }

  func load(_ tile: Tile, _ place: Place, at position: LLVMValueRef, stride: LLVMValueRef) {
    move("llvm.x86.tileloadd64", tile, place, position, stride)
  }

  func store(_ tile: Tile, _ place: Place, at position: LLVMValueRef, stride: LLVMValueRef) {
    move("llvm.x86.tilestored64", tile, place, position, stride)
  }

  func multiplyAdd(_ format: TileFormat, _ sum: Tile, _ a: Tile, _ b: Tile) {
    let name = format == .f16 ? "llvm.x86.tdpfp16ps" : "llvm.x86.tdpbf16ps"
    _ = intrinsic(name, [], [number(sum), number(a), number(b)])
  }

  private func move(
    _ instruction: String, _ tile: Tile, _ place: Place, _ position: LLVMValueRef, _ stride: LLVMValueRef
  ) {
    let start = address(place.base, memoryType(place.element), position)
    let byteCount = binary(LLVMMul, stride, index(place.element.byteCount))
    _ = intrinsic(instruction, [], [number(tile), start, byteCount])
  }

  private func number(_ tile: Tile) -> LLVMValueRef { integer(tile.index, 8) }
}

extension TileFormat {
  /// LLVM's name of the processor feature.
  var featureName: String {
    switch self {
    case .f16: "amx-fp16"
    case .bf16: "amx-bf16"
    }
  }
}
