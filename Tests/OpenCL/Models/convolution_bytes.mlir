// A convolution of bytes, channels last, in words of four channels.
func.func @main(%x: tensor<2x7x6x8xui8>, %k: tensor<3x2x8x9xi8>) -> tensor<2x4x4x9xi32> {
  %0 = stablehlo.convolution(%x, %k) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {stride = [2, 2], pad = [[1, 1], [2, 0]]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : (tensor<2x7x6x8xui8>, tensor<3x2x8x9xi8>) -> tensor<2x4x4x9xi32>
  return %0 : tensor<2x4x4x9xi32>
}
